import type { Address, Clock, Logger } from '@ipvs-director/core'
import type { Agenda } from './agenda.ts'
import type { Announcer } from './announcer.ts'
import type { VrrpEvent } from './events.ts'
import type { Interfaces } from './interfaces.ts'
import type { VrrpLink } from './link.ts'
import type { Sockets } from './sockets.ts'
import type { Trackers } from './trackers.ts'

/** What instances share. */
export interface Surroundings {
  readonly link: VrrpLink
  readonly clock: Clock
  readonly agenda: Agenda
  readonly logger: Logger
  readonly sockets: Sockets
  readonly interfaces: Interfaces
  readonly trackers: Trackers
  readonly announcer: Announcer
  /** Before each event of an instance: the machine may have been suspended meanwhile. */
  readonly wakeUp: () => void
  readonly tell: (event: VrrpEvent) => void
  readonly isVirtual: (address: Address) => boolean
  /** Addresses of an instance, by its key, that somebody put on its interface while it is not master. */
  readonly straysOf: (key: string) => readonly Address[]
}

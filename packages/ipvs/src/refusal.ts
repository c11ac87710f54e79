import { KernelError } from '@ipvs-director/core'
import type { SyncDaemon } from './client.ts'
import { destinationId, serviceId, type Command, type ServiceKey } from './table.ts'

/** How the kernel refused: a positive errno, its name, and its own words where it gave any. */
export interface IpvsRefusal {
  readonly errno: number
  readonly code: string
  readonly detail?: string | undefined
}

/** What a command tries, as in messages: `add 10.0.0.2:80 to 192.0.2.1:80/tcp`. */
export function describeCommand(command: Command): string {
  switch (command.do) {
    case 'addService':
      return `add ${serviceId(command.key)}`
    case 'setService':
      return `change ${serviceId(command.key)}`
    case 'deleteService':
      return `delete ${serviceId(command.key)}`
    case 'addDestination':
      return `add ${destinationId(command.destination)} to ${serviceId(command.service)}`
    case 'setDestination':
      return `change ${destinationId(command.destination)} of ${serviceId(command.service)}`
    case 'deleteDestination':
      return `delete ${destinationId(command.destination)} from ${serviceId(command.service)}`
    case 'flush':
      return 'flush the table'
  }
}

/** What the client's other methods try, as in messages. */
export const describe = {
  zero: (key: ServiceKey | undefined) => `zero the counters of ${key === undefined ? 'all services' : serviceId(key)}`,
  setTimeouts: 'set the timeouts',
  startDaemon: ({ state, interface: device }: SyncDaemon) => `start the ${state} sync daemon on ${device}`,
  stopDaemon: ({ state }: Pick<SyncDaemon, 'state'>) => `stop the ${state} sync daemon`,
}

/** The error for a refused command: `cannot add 10.0.0.2:80 to 192.0.2.1:80/tcp: EEXIST`. */
export function refusedCommand(command: Command, refusal: IpvsRefusal): KernelError {
  const detail = refusal.detail ?? hint(command, refusal.code)
  return new KernelError(`cannot ${describeCommand(command)}`, { ...refusal, detail })
}

/** The error for anything else that was refused: `cannot read the services: EPERM (needs CAP_NET_ADMIN)`. */
export function refused(tried: string, refusal: IpvsRefusal): KernelError {
  return new KernelError(`cannot ${tried}`, { ...refusal, detail: refusal.detail ?? privilege(refusal.code) })
}

const privilege = (code: string): string | undefined => (code === 'EPERM' ? 'needs CAP_NET_ADMIN' : undefined)

/** What the code means for this command, by what the kernel was seen to refuse (6.1); EEXIST says it all. */
function hint(command: Command, code: string): string | undefined {
  switch (code) {
    case 'ESRCH':
      return command.do === 'addService' || command.do === 'flush' ? undefined : 'no such service'
    case 'ENOENT':
      return unknownName(command)
    case 'ERANGE':
      return 'destination' in command ? 'weight below 0, or lower threshold above upper' : undefined
    case 'EINVAL':
      return 'destination' in command
        ? 'the address must be unicast; the other family needs a tunnel and no sync daemon; gue needs a port'
        : undefined
    case 'EAFNOSUPPORT':
      return 'the kernel has no IPVS for this family'
    default:
      return privilege(code)
  }
}

function unknownName(command: Command): string {
  if (!('settings' in command)) return 'no such destination'
  const { scheduler, engine } = command.settings
  const unknown = `no such scheduler "${scheduler}"`
  return engine === undefined ? unknown : `${unknown} or no such persistence engine "${engine}"`
}

import { addressBytes, address, type Address } from '@ipvs-director/core'
import type { SyncDaemon } from './client.ts'
import { beyondDaemonLimits } from './limits.ts'
import { refuse } from './memory-table.ts'
import type { IpvsRefusal } from './refusal.ts'

/** The kernel's two connection synchronisation daemons, as far as they can be seen; on links with an MTU of 1500. */
export class MemoryDaemons {
  private readonly running = new Map<SyncDaemon['state'], SyncDaemon>()

  /** The running ones, master first, with what the kernel fills in. */
  list(): SyncDaemon[] {
    return (['master', 'backup'] as const).flatMap((state) => this.running.get(state) ?? [])
  }

  start(daemon: SyncDaemon): IpvsRefusal | undefined {
    const beyond = beyondDaemonLimits(daemon)
    if (beyond !== undefined) return beyond
    if (this.running.has(daemon.state)) return refuse('EEXIST')
    const group = daemon.group ?? address('224.0.0.81')
    if (!isMulticast(group)) return refuse('EINVAL')
    this.running.set(daemon.state, {
      state: daemon.state,
      interface: daemon.interface,
      syncId: daemon.syncId,
      maxLength: Math.min(daemon.maxLength || (group.includes(':') ? 1452 : 1472), 65507),
      group,
      port: daemon.port || 8848,
      ttl: daemon.ttl || 1,
    })
    return undefined
  }

  /** The kernel looks at the state only, never at the sync id. */
  stop(state: SyncDaemon['state']): IpvsRefusal | undefined {
    return this.running.delete(state) ? undefined : refuse('ESRCH')
  }
}

/** Whether the address is a group's: 224.0.0.0/4 or ff00::/8. */
function isMulticast(value: Address): boolean {
  const [first = 0] = addressBytes(value)
  return value.includes(':') ? first === 0xff : (first & 0xf0) === 0xe0
}

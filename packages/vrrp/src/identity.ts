import type { VrrpInstance } from '@ipvs-director/config'
import type { Protocol } from './state.ts'

/** What makes an instance the same after a reload: not its name (reference/vrrp.md §10). */
export const identityOf = (config: VrrpInstance): string =>
  [
    config.virtualRouterId,
    config.family,
    config.interface ?? '-',
    config.unicastPeers.length > 0 ? `unicast ${config.sourceAddress ?? '-'}` : `group ${config.multicastGroup}`,
    config.vmac === undefined && config.ipvlan === undefined ? 'base' : 'vmac',
  ].join('/')

/** What the machine knows of its configuration. */
export const protocolOf = (config: VrrpInstance, grouped: boolean): Protocol => ({
  version: config.version,
  downAdverts: config.downTimerAdverts,
  priority: config.priority,
  interval: config.advertInterval,
  startsAsMaster: config.initialState === 'MASTER',
  preempt: config.preempt,
  preemptDelay: config.preemptDelay,
  gate: config.preemptGate,
  lowerPriorityNoAdvert: config.lowerPriorityNoAdvert,
  higherPrioritySendAdvert: config.higherPrioritySendAdvert,
  announcing: config.announcing,
  lease: config.vipLease,
  arbitration: config.arbitration,
  grouped,
  stalledPriority: config.timerExpiredBackup,
  unicast: config.unicastPeers.length > 0,
})

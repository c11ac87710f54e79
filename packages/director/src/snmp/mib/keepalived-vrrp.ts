/** KEEPALIVED-MIB, `vrrp`: sync groups, their members, instances. Read-only. */
import type { SyncGroup, VrrpInstance, VrrpNotify } from '@ipvs-director/config'
import type { VrrpGroupStatus } from '@ipvs-director/control'
import { table, type Column, type Node } from '../tree.ts'
import { addressOctets, addressType, gauge, integer, text, truth, type SnmpValue } from '../value.ts'
import { under } from './keepalived-global.ts'
import { networkNodes } from './keepalived-network.ts'
import { trackedNodes, trackerNodes } from './keepalived-tracking.ts'
import { commandText, instanceRows, type InstanceRow, type SnmpSnapshot } from './snapshot.ts'

/** `VrrpState`. */
export const stateNumbers = { init: 0, backup: 1, master: 2, fault: 3, stopped: 5 } as const

interface GroupRow {
  readonly config: SyncGroup
  readonly status: VrrpGroupStatus
}

/** An instance, and what the sync daemon has to do with it. */
interface Row extends InstanceRow {
  /** The interface of the sync daemon that follows it. */
  readonly sync: string | undefined
}

const hasScript = ({ master, backup, fault, stop, any }: VrrpNotify): boolean =>
  [master, backup, fault, stop, any].some((script) => script !== undefined)

const groupColumns: readonly Column<GroupRow>[] = [
  { number: 2, value: ({ config }) => text(config.name) },
  { number: 3, value: ({ status }) => integer(stateNumbers[status.state]) },
  { number: 4, value: ({ config }) => truth(config.notify.smtpAlert) },
  { number: 5, value: ({ config }) => truth(hasScript(config.notify)) },
  { number: 6, value: ({ config }) => commandText(config.notify.master) },
  { number: 7, value: ({ config }) => commandText(config.notify.backup) },
  { number: 8, value: ({ config }) => commandText(config.notify.fault) },
  { number: 9, value: ({ config }) => commandText(config.notify.any) },
  { number: 10, value: ({ config }) => truth(config.trackingWeight) },
  { number: 11, value: ({ config }) => commandText(config.notify.stop) },
]

/** `configured_state` of keepalived. */
export const initialState = ({ initialState: wish, configuredState = wish }: VrrpInstance): SnmpValue =>
  integer(configuredState === 'MASTER' ? stateNumbers.master : stateNumbers.backup)

const wantedState = ({ held, yielding, state }: InstanceRow['status']): number =>
  held || yielding ? stateNumbers.backup : stateNumbers[state]

const isMulticast = ({ unicastPeers }: VrrpInstance): boolean => unicastPeers.length === 0

const instanceColumns: readonly Column<Row>[] = [
  { number: 2, value: ({ config }) => text(config.name) },
  { number: 3, value: ({ config }) => gauge(config.virtualRouterId) },
  { number: 4, value: ({ status }) => integer(stateNumbers[status.state]) },
  { number: 5, value: ({ config }) => initialState(config) },
  { number: 6, value: ({ status }) => integer(wantedState(status)) },
  { number: 7, value: ({ status }) => integer(status.priority.base) },
  { number: 8, value: ({ status }) => integer(status.priority.effective) },
  { number: 9, value: ({ status }) => truth(status.state === 'master') },
  { number: 10, value: ({ config }) => (config.interface === undefined ? undefined : text(config.interface)) },
  { number: 11, value: ({ config }) => truth(config.trackPrimary) },
  // Seconds, or hundredths: what each version counts in.
  { number: 12, value: ({ config }) => gauge(Math.trunc(config.advertInterval / (config.version === 3 ? 10 : 1000))) },
  { number: 13, value: ({ config }) => truth(config.preempt) },
  { number: 14, value: ({ config }) => gauge(Math.trunc(config.preemptDelay / 1000)) },
  { number: 15, value: ({ config: { auth } }) => integer(auth === undefined ? 0 : auth.type === 'PASS' ? 1 : 2) },
  { number: 16, value: ({ sync }) => truth(sync !== undefined) },
  { number: 17, value: ({ sync }) => (sync === undefined ? undefined : text(sync)) },
  { number: 18, value: ({ status }) => (status.group === undefined ? undefined : text(status.group)) },
  { number: 19, value: ({ config }) => gauge(Math.trunc(config.announcing.masterDelay / 1000)) },
  { number: 20, value: ({ config }) => truth(config.notify.smtpAlert) },
  { number: 21, value: ({ config }) => truth(hasScript(config.notify)) },
  { number: 22, value: ({ config }) => commandText(config.notify.master) },
  { number: 23, value: ({ config }) => commandText(config.notify.backup) },
  { number: 24, value: ({ config }) => commandText(config.notify.fault) },
  { number: 25, value: ({ config }) => commandText(config.notify.stop) },
  { number: 26, value: ({ config }) => commandText(config.notify.any) },
  { number: 27, value: ({ config }) => (config.version === 3 ? truth(config.accept) : integer(0)) },
  { number: 28, value: ({ config }) => truth(config.promoteSecondaries) },
  { number: 29, value: ({ config }) => truth(config.linkbeatPolling) },
  { number: 30, value: ({ config }) => integer(config.version) },
  { number: 31, value: ({ config }) => commandText(config.notifyMasterRxLowerPriority) },
  { number: 32, value: ({ config }) => commandText(config.notifyDeleted) },
  { number: 33, value: ({ config }) => truth(config.notifyDeleted !== undefined) },
  { number: 34, value: ({ config }) => (isMulticast(config) ? addressType(config.multicastGroup) : undefined) },
  { number: 35, value: ({ config }) => (isMulticast(config) ? addressOctets(config.multicastGroup) : undefined) },
  { number: 36, value: ({ config }) => truth(config.v3ChecksumAsV2) },
]

export function keepalivedVrrpNodes(snapshot: SnmpSnapshot): Node[] {
  const { config, status } = snapshot
  const { syncDaemon } = config
  const instances = instanceRows(snapshot)
  const rows = instances.map((each): Row => {
    return { ...each, sync: syncDaemon?.instance === each.config.name ? syncDaemon.interface : undefined }
  })
  const groups = config.vrrp.syncGroups.flatMap((group): GroupRow[] => {
    const found = status.vrrp?.groups.find(({ name }) => name === group.name)
    return found === undefined ? [] : [{ config: group, status: found }]
  })
  return [
    table<GroupRow>(under(2, 1, 1), groupColumns, groups.map((row, i) => ({ index: [i + 1], row }))), // prettier-ignore
    table<string>(
      under(2, 2, 1),
      [{ number: 2, value: text }],
      groups.flatMap(({ config: group }, i) => group.instances.map((row, j) => ({ index: [i + 1, j + 1], row }))),
    ),
    table<Row>(under(2, 3, 1), instanceColumns, rows.map((row, i) => ({ index: [i + 1], row }))), // prettier-ignore
    ...trackedNodes(
      instances.map((each) => each.config.track),
      groups.map((each) => each.config.track),
    ),
    ...trackerNodes(snapshot),
    ...networkNodes(snapshot, instances),
  ]
}

/** KEEPALIVED-MIB, `vrrp`: sync groups, their members, instances, addresses. Read-only. */
import type { SyncGroup } from '@ipvs-director/config'
import type { VrrpGroupStatus } from '@ipvs-director/control'
import { parseAddress } from '@ipvs-director/core'
import { table, type Column, type Node } from '../tree.ts'
import { addressOctets, addressType, gauge, integer, text, truth } from '../value.ts'
import { under } from './keepalived.ts'
import { instanceRows, type InstanceRow, type SnmpSnapshot } from './snapshot.ts'

/** `VrrpState`. */
export const stateNumbers = { init: 0, backup: 1, master: 2, fault: 3, stopped: 5 } as const

interface GroupRow {
  readonly config: SyncGroup
  readonly status: VrrpGroupStatus
}

const groupColumns: readonly Column<GroupRow>[] = [
  { number: 2, value: ({ config }) => text(config.name) },
  { number: 3, value: ({ status }) => integer(stateNumbers[status.state]) },
  { number: 4, value: ({ config }) => truth(config.notify.smtpAlert) },
  { number: 10, value: ({ config }) => truth(config.trackingWeight) },
]

const instanceColumns: readonly Column<InstanceRow>[] = [
  { number: 2, value: ({ config }) => text(config.name) },
  { number: 3, value: ({ config }) => gauge(config.virtualRouterId) },
  { number: 4, value: ({ status }) => integer(stateNumbers[status.state]) },
  { number: 5, value: ({ config }) => integer(config.initialState === 'MASTER' ? stateNumbers.master : stateNumbers.backup) }, // prettier-ignore
  { number: 6, value: ({ status }) => integer(status.held || status.yielding ? stateNumbers.backup : stateNumbers[status.state]) }, // prettier-ignore
  { number: 7, value: ({ status }) => integer(status.priority.base) },
  { number: 8, value: ({ status }) => integer(status.priority.effective) },
  { number: 9, value: ({ status }) => truth(status.state === 'master') },
  { number: 10, value: ({ config }) => text(config.interface ?? '') },
  { number: 11, value: ({ config }) => truth(config.trackPrimary) },
  // Hundredths of a second: what VRRPv3 counts in.
  { number: 12, value: ({ config }) => gauge(config.advertInterval / (config.version === 3 ? 10 : 1000)) },
  { number: 13, value: ({ config }) => truth(config.preempt) },
  { number: 14, value: ({ config }) => gauge(config.preemptDelay / 1000) },
  { number: 15, value: ({ config: { auth } }) => integer(auth === undefined ? 0 : auth.type === 'PASS' ? 1 : 2) },
  { number: 18, value: ({ status }) => (status.group === undefined ? undefined : text(status.group)) },
  { number: 19, value: ({ config }) => gauge(config.announcing.masterDelay / 1000) },
  { number: 20, value: ({ config }) => truth(config.notify.smtpAlert) },
  { number: 27, value: ({ config }) => truth(config.accept) },
  { number: 28, value: ({ config }) => truth(config.promoteSecondaries) },
  { number: 29, value: ({ config }) => truth(config.linkbeatPolling) },
  { number: 30, value: ({ config }) => integer(config.version) },
  { number: 34, value: ({ config }) => addressType(config.multicastGroup) },
  { number: 35, value: ({ config }) => addressOctets(config.multicastGroup) },
  { number: 36, value: ({ config }) => truth(config.v3ChecksumAsV2) },
]

interface AddressRow {
  readonly instance: InstanceRow
  /** `192.0.2.1/24` */
  readonly text: string
  readonly advertised: boolean
}

const partsOf = ({ text: whole }: AddressRow) => {
  const [host = '', prefix = ''] = whole.split('/')
  return { address: parseAddress(host), prefix: Number(prefix) }
}

const addressColumns: readonly Column<AddressRow>[] = [
  { number: 2, value: (row) => { const { address } = partsOf(row); return address && addressType(address) } }, // prettier-ignore
  { number: 3, value: (row) => { const { address } = partsOf(row); return address && addressOctets(address) } }, // prettier-ignore
  { number: 5, value: (row) => gauge(partsOf(row).prefix) },
  { number: 7, value: ({ instance }) => (instance.interfaceIndex === undefined ? undefined : integer(instance.interfaceIndex)) }, // prettier-ignore
  { number: 8, value: ({ instance }) => text(instance.config.interface ?? '') },
  { number: 10, value: ({ instance }) => truth(instance.status.state === 'master') },
  { number: 11, value: ({ advertised }) => truth(advertised) },
]

export function keepalivedVrrpNodes(snapshot: SnmpSnapshot): Node[] {
  const { config, status } = snapshot
  const instances = instanceRows(snapshot)
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
    table<InstanceRow>(under(2, 3, 1), instanceColumns, instances.map((row, i) => ({ index: [i + 1], row }))), // prettier-ignore
    table<AddressRow>(
      under(2, 6, 1),
      addressColumns,
      instances.flatMap((instance, i) =>
        instance.status.addresses.map((each, j) => ({
          index: [i + 1, j + 1],
          row: { instance, text: each, advertised: j < instance.config.addresses.length },
        })),
      ),
    ),
  ]
}

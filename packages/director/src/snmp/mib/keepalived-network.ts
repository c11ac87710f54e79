/** KEEPALIVED-MIB, `vrrp`: addresses. Read-only. */
import type { ProtectedAddress } from '@ipvs-director/config'
import { addressBytes, familyOf } from '@ipvs-director/core'
import { routeNumber } from '@ipvs-director/linux'
import type { Oid } from '../oid.ts'
import { table, type Column, type Node } from '../tree.ts'
import { addressOctets, addressType, gauge, integer, octets, text, truth } from '../value.ts'
import { under } from './keepalived-global.ts'
import { entriesOf, scopeNumber, type Entry } from './keepalived-entries.ts'
import { routeNodes } from './keepalived-routes.ts'
import { ruleNodes } from './keepalived-rules.ts'
import { interfaceIndexes, type InstanceRow, type SnmpSnapshot } from './snapshot.ts'

interface AddressRow extends Entry<ProtectedAddress> {
  readonly advertised: boolean
  readonly interfaceIndex: number | undefined
}

const unspecified = octets(new Uint8Array(4))

const addressColumns: readonly Column<AddressRow>[] = [
  { number: 2, value: ({ wanted }) => addressType(wanted.address) },
  { number: 3, value: ({ wanted }) => addressOctets(wanted.address) },
  { number: 4, value: ({ wanted: { address, broadcast } }) => (familyOf(address) === 'inet6' ? undefined : broadcast === undefined ? unspecified : octets(addressBytes(broadcast))) }, // prettier-ignore
  { number: 5, value: ({ wanted }) => gauge(wanted.prefix) },
  { number: 6, value: ({ wanted: { scope } }) => integer(scopeNumber(typeof scope === 'number' ? scope : (routeNumber('rt_scopes', scope) ?? 255))) }, // prettier-ignore
  { number: 7, value: ({ interfaceIndex }) => (interfaceIndex === undefined ? undefined : integer(interfaceIndex)) },
  { number: 8, value: ({ wanted }) => (wanted.interface === undefined ? undefined : text(wanted.interface)) },
  { number: 9, value: ({ wanted }) => (wanted.label === undefined ? undefined : text(wanted.label)) },
  { number: 10, value: ({ isSet }) => truth(isSet) },
  { number: 11, value: ({ advertised }) => truth(advertised) },
  { number: 12, value: ({ wanted: { peer } }) => peer && addressOctets(peer.address) },
]

export function networkNodes(snapshot: SnmpSnapshot, instances: readonly InstanceRow[]): Node[] {
  const { staticAddresses, staticRoutes, staticRules } = snapshot.config.vrrp
  const indexOf = interfaceIndexes(snapshot)
  const addresses = entriesOf(staticAddresses, instances, ({ addresses: own, excluded }) => [...own, ...excluded])
  const isAdvertised = ([instance = 0, number = 0]: Oid): boolean =>
    number <= (instances[instance - 1]?.config.addresses.length ?? 0)
  return [
    table<AddressRow>(
      under(2, 6, 1),
      addressColumns,
      addresses.map((each) => ({
        index: each.index,
        row: { ...each, advertised: isAdvertised(each.index), interfaceIndex: indexOf(each.wanted.interface) },
      })),
    ),
    ...routeNodes(entriesOf(staticRoutes, instances, ({ routes }) => routes), indexOf), // prettier-ignore
    ...ruleNodes(entriesOf(staticRules, instances, ({ rules }) => rules)), // prettier-ignore
  ]
}

/** KEEPALIVED-MIB, `vrrp`: policy routing rules. Read-only. */
import type { NetworkRule, Prefix } from '@ipvs-director/config'
import type { Rule } from '@ipvs-director/linux'
import { kernelRule } from '../../vrrp-link/entries.ts'
import { table, type Column, type Node } from '../tree.ts'
import { addressOctets, addressType, gauge, integer, text, truth, type SnmpValue } from '../value.ts'
import { under } from './keepalived-global.ts'
import type { Entry } from './keepalived-entries.ts'

interface RuleRow extends Entry<NetworkRule> {
  /** As it is given to the kernel; undefined: something it names is not known. */
  readonly rule: Rule | undefined
}

/** FR_ACT_ */
const actions: Readonly<Record<NetworkRule['action'], number>> = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } // prettier-ignore
const everyBit = 0xffffffff

const unsigned = (value: number | undefined): SnmpValue | undefined => (value === undefined ? undefined : gauge(value))

/** Type, octets and length of a prefix. */
const prefix = (number: number, of: (rule: NetworkRule) => Prefix | undefined): Column<RuleRow>[] => [
  { number, value: ({ wanted }) => { const found = of(wanted); return found && addressType(found.address) } }, // prettier-ignore
  { number: number + 1, value: ({ wanted }) => { const found = of(wanted); return found && addressOctets(found.address) } }, // prettier-ignore
  { number: number + 2, value: ({ wanted }) => unsigned(of(wanted)?.length) },
]

const direction = ({ from, to }: NetworkRule): string => (to === undefined ? (from === undefined ? '' : 'from') : from === undefined ? 'to' : 'both') // prettier-ignore

const ruleColumns: readonly Column<RuleRow>[] = [
  { number: 2, value: ({ wanted }) => text(direction(wanted)) },
  ...prefix(3, ({ from, to }) => to ?? from),
  { number: 6, value: ({ rule }) => unsigned(rule?.table) },
  { number: 7, value: ({ isSet }) => truth(isSet) },
  { number: 8, value: ({ wanted }) => truth(wanted.not) },
  ...prefix(9, ({ to }) => to),
  ...prefix(12, ({ from }) => from),
  { number: 15, value: ({ rule }) => gauge(rule?.tos ?? 0) },
  { number: 16, value: ({ wanted }) => unsigned(wanted.mark?.value) },
  { number: 17, value: ({ wanted: { mark } }) => (mark === undefined || mark.mask === everyBit ? undefined : gauge(mark.mask)) }, // prettier-ignore
  { number: 18, value: ({ rule }) => ((rule?.realms ?? 0) === 0 ? undefined : gauge((rule?.realms ?? 0) & 0xffff)) },
  { number: 19, value: ({ rule }) => ((rule?.realms ?? 0) >>> 16 === 0 ? undefined : gauge((rule?.realms ?? 0) >>> 16)) }, // prettier-ignore
  {
    number: 20,
    value: ({ wanted }) => (wanted.inputInterface === undefined ? undefined : text(wanted.inputInterface)),
  },
  { number: 21, value: ({ wanted }) => (wanted.outputInterface === undefined ? undefined : text(wanted.outputInterface)) }, // prettier-ignore
  { number: 22, value: ({ wanted }) => (wanted.action === 'goto' ? unsigned(wanted.target) : undefined) },
  { number: 23, value: ({ wanted }) => integer(actions[wanted.action]) },
  { number: 24, value: ({ rule }) => unsigned(rule?.table) },
  { number: 25, value: ({ wanted }) => gauge(wanted.preference) },
  { number: 26, value: ({ wanted }) => unsigned(wanted.suppressPrefixLength) },
  { number: 27, value: ({ wanted }) => (wanted.suppressInterfaceGroup === undefined ? undefined : text(wanted.suppressInterfaceGroup)) }, // prettier-ignore
  { number: 28, value: ({ wanted: { tunnelId } }) => (tunnelId === undefined ? undefined : gauge(Math.trunc(tunnelId / 2 ** 32))) }, // prettier-ignore
  { number: 29, value: ({ wanted: { tunnelId } }) => (tunnelId === undefined ? undefined : gauge(tunnelId % 2 ** 32)) },
  { number: 30, value: ({ wanted }) => unsigned(wanted.users?.first) },
  { number: 31, value: ({ wanted }) => unsigned(wanted.users?.last) },
  { number: 32, value: ({ wanted }) => (wanted.l3mdev ? integer(1) : undefined) },
]

export function ruleNodes(entries: readonly Entry<NetworkRule>[]): Node[] {
  const rows = entries.map((entry): RuleRow => ({ ...entry, rule: asGiven(entry.wanted) }))
  return [table<RuleRow>(under(2, 8, 1), ruleColumns, rows.map((row) => ({ index: row.index, row })))] // prettier-ignore
}

function asGiven(wanted: NetworkRule): Rule | undefined {
  try {
    return kernelRule(wanted)
  } catch {
    return undefined
  }
}

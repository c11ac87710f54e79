/** Policy routing rules (linux/fib_rules.h): which table a packet's route is looked for in. */
import { addressBytes, type Family } from '@ipvs-director/core'
import { attributes } from '../attributes.ts'
import type { NetlinkRequest } from '../channel.ts'
import { bytes, text, u16, u32, u8 } from '../codecs.ts'
import { NLM_F_CREATE, NLM_F_EXCL } from '../message.ts'
import { struct } from '../struct.ts'
import { AF_UNSPEC, RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from './constants.ts'
import { familyFromNumber, familyNumber, readAddress, type Prefix } from './prefix.ts'

export interface Rule {
  readonly family: Family
  /** The lower, the earlier; the kernel chooses one below the lowest where none is given. */
  readonly priority?: number | undefined
  readonly from?: Prefix | undefined
  readonly to?: Prefix | undefined
  readonly inputInterface?: string | undefined
  readonly outputInterface?: string | undefined
  /** The packet's mark, of which the bits of `markMask` (default all) count. */
  readonly mark?: number | undefined
  readonly markMask?: number | undefined
  /** Where to look, for rules that look in a table. */
  readonly table?: number | undefined
  /** FR_ACT_ number: 1 look in the table (default), 6 blackhole, 7 unreachable, 8 prohibit. */
  readonly action?: number | undefined
  /** Who made it, as in routes; 4 static by default. */
  readonly protocol?: number | undefined
}

/** What to do with a rule. */
export interface RuleChange {
  readonly do: 'add' | 'delete'
  readonly rule: Rule
}

const FR_ACT_TO_TBL = 1
const RTPROT_STATIC = 4

/** struct fib_rule_hdr. */
const header = struct({
  family: u8,
  toLength: u8,
  fromLength: u8,
  tos: u8,
  table: u8,
  reserved: u16,
  action: u8,
  flags: u32,
})
const ruleAttributes = attributes({
  to: [1, bytes],
  from: [2, bytes],
  inputInterface: [3, text],
  priority: [6, u32],
  mark: [10, u32],
  table: [15, u32],
  markMask: [16, u32],
  outputInterface: [17, text],
  protocol: [21, u8],
})

/** Reads RTM_NEWRULE and RTM_DELRULE; undefined for rules that are neither IPv4 nor IPv6. Throws a DecodeError. */
export function decodeRule(payload: Buffer): Rule | undefined {
  const head = header.decode(payload)
  const family = familyFromNumber(head.family)
  if (family === undefined) return undefined
  const given = ruleAttributes.decodeRange(payload, header.size, payload.length)
  const { priority, inputInterface, outputInterface, mark, markMask, table, protocol } = given
  return {
    family,
    priority: priority ?? 0,
    from: prefix(given.from, head.fromLength),
    to: prefix(given.to, head.toLength),
    inputInterface,
    outputInterface,
    mark,
    markMask,
    table: table ?? head.table,
    action: head.action,
    protocol,
  }
}

/** All rules of one family or of both: a dump. */
export function allRules(family?: Family): NetlinkRequest {
  return {
    type: RTM_GETRULE,
    payload: header.encode({ family: family === undefined ? AF_UNSPEC : familyNumber(family) }),
  }
}

export function changeRule({ do: action, rule }: RuleChange): NetlinkRequest {
  const { priority, inputInterface, outputInterface, mark, markMask, table } = rule
  const adding = action === 'add'
  const head = header.encode({
    family: familyNumber(rule.family),
    toLength: rule.to?.length ?? 0,
    fromLength: rule.from?.length ?? 0,
    table: table !== undefined && table < 256 ? table : 0,
    action: rule.action ?? (adding ? FR_ACT_TO_TBL : 0),
  })
  const body = ruleAttributes.encode({
    to: rule.to === undefined ? undefined : addressBytes(rule.to.address),
    from: rule.from === undefined ? undefined : addressBytes(rule.from.address),
    inputInterface,
    priority,
    mark,
    table,
    markMask,
    outputInterface,
    protocol: rule.protocol ?? (adding ? RTPROT_STATIC : undefined),
  })
  const payload = Buffer.concat([head, body])
  return adding ? { type: RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL, payload } : { type: RTM_DELRULE, payload }
}

function prefix(bytes: Uint8Array | undefined, length: number): Prefix | undefined {
  const address = readAddress(bytes)
  return address === undefined ? undefined : { address, length }
}

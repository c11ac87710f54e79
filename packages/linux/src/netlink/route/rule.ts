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
  /** It applies to all packets that do not match. */
  readonly not?: boolean | undefined
  readonly tos?: number | undefined
  /** Of action 2: the priority of the rule to go on with. */
  readonly goto?: number | undefined
  readonly realms?: number | undefined
  readonly tunnelId?: number | undefined
  /** Routes with a prefix of at most this length do not count. */
  readonly suppressPrefixLength?: number | undefined
  /** Routes by interfaces of this group do not count. */
  readonly suppressGroup?: number | undefined
  /** The table is that of the packet's VRF. */
  readonly l3mdev?: boolean | undefined
  readonly users?: NumberSpan | undefined
  /** IP protocol number. */
  readonly ipProtocol?: number | undefined
  readonly sourcePorts?: NumberSpan | undefined
  readonly destinationPorts?: NumberSpan | undefined
}

/** First and last. */
export interface NumberSpan {
  readonly first: number
  readonly last: number
}

/** What to do with a rule. */
export interface RuleChange {
  readonly do: 'add' | 'delete'
  readonly rule: Rule
}

const FR_ACT_TO_TBL = 1
const RTPROT_STATIC = 4
const FIB_RULE_INVERT = 2

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
const userSpan = struct({ first: u32, last: u32 })
const portSpan = struct({ first: u16, last: u16 })
const ruleAttributes = attributes({
  to: [1, bytes],
  from: [2, bytes],
  inputInterface: [3, text],
  goto: [4, u32],
  priority: [6, u32],
  mark: [10, u32],
  realms: [11, u32],
  tunnelId: [12, bytes],
  suppressGroup: [13, u32],
  suppressPrefixLength: [14, u32],
  table: [15, u32],
  markMask: [16, u32],
  outputInterface: [17, text],
  l3mdev: [19, u8],
  users: [20, userSpan],
  protocol: [21, u8],
  ipProtocol: [22, u8],
  sourcePorts: [23, portSpan],
  destinationPorts: [24, portSpan],
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
    not: (head.flags & FIB_RULE_INVERT) !== 0,
    tos: head.tos,
    goto: given.goto,
    realms: given.realms,
    tunnelId: tunnelOf(given.tunnelId),
    suppressPrefixLength: unlessNone(given.suppressPrefixLength),
    suppressGroup: unlessNone(given.suppressGroup),
    l3mdev: given.l3mdev === 1,
    users: spanOf(given.users),
    ipProtocol: given.ipProtocol,
    sourcePorts: spanOf(given.sourcePorts),
    destinationPorts: spanOf(given.destinationPorts),
  }
}

/** The kernel tells "none" as -1. */
const unlessNone = (value: number | undefined): number | undefined => (value === 0xffff_ffff ? undefined : value)

const spanOf = (given: Partial<NumberSpan> | undefined): NumberSpan | undefined =>
  given === undefined ? undefined : { first: given.first ?? 0, last: given.last ?? 0 }

/** Eight bytes in network order. */
function tunnelOf(bytes: Uint8Array | undefined): number | undefined {
  return bytes?.length === 8 ? Number(Buffer.from(bytes).readBigUInt64BE()) : undefined
}

function tunnelBytes(id: number | undefined): Buffer | undefined {
  if (id === undefined) return undefined
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(id))
  return bytes
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
    tos: rule.tos ?? 0,
    flags: rule.not === true ? FIB_RULE_INVERT : 0,
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
    goto: rule.goto,
    realms: rule.realms,
    tunnelId: tunnelBytes(rule.tunnelId),
    suppressPrefixLength: rule.suppressPrefixLength,
    suppressGroup: rule.suppressGroup,
    l3mdev: rule.l3mdev === true ? 1 : undefined,
    users: rule.users,
    ipProtocol: rule.ipProtocol,
    sourcePorts: rule.sourcePorts,
    destinationPorts: rule.destinationPorts,
  })
  const payload = Buffer.concat([head, body])
  return adding ? { type: RTM_NEWRULE, flags: NLM_F_CREATE | NLM_F_EXCL, payload } : { type: RTM_DELRULE, payload }
}

function prefix(bytes: Uint8Array | undefined, length: number): Prefix | undefined {
  const address = readAddress(bytes)
  return address === undefined ? undefined : { address, length }
}

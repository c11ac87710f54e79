import {
  type Address,
  type Family,
  familyOf,
  formatEndpoint,
  inOnePiece,
  type Millis,
  seconds,
} from '@ipvs-director/core'
import type { CheckerBlock, Surroundings } from './checker-block.ts'
import { type CheckerHome, type NamedDefinitions, resolveChecker, spread } from './checker-config.ts'
import type {
  CheckDefaults,
  CheckerConfig,
  DynamicServers,
  Forwarding,
  Globals,
  RealServer,
  SorryServer,
  VirtualServer,
  VirtualServerGroup,
  VirtualServerTarget,
} from './config.ts'
import type { Remarks } from './diagnostics.ts'
import { anyAddressOf, resolveSource } from './dynamic.ts'
import { maskNumber } from './granularity.ts'
import type { RealServerText, VirtualServerGroupText, VirtualServerText } from './grammar/virtual-server.ts'
import { placeOfKeyword, type Read, written } from './read.ts'
import { shared } from './shared.ts'
import { placeOf } from './statement.ts'
import { partsAtOnce, type Steps } from './steps.ts'
import { addressRange } from './target.ts'

/** What virtual servers refer to. */
export interface Home {
  readonly globals: Globals
  readonly smtpAlert: boolean | undefined
  readonly drainOnRemoval: Millis | undefined
  readonly ssl: Surroundings['ssl']
  readonly definitions: NamedDefinitions
  /** By keyword. */
  readonly checkers: ReadonlyMap<string, CheckerBlock>
  readonly groups: ReadonlyMap<string, VirtualServerGroupText & Read>
  readonly remarks: Remarks
}

const protocols = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const
const nat: Forwarding = { method: 'masq', tunnel: undefined }

/**
 * A virtual server with every default and inheritance applied; undefined when what it answers for is not known. Fix-ups
 * across keywords are made afterwards, in rules.ts. Rests now and then.
 */
export function* resolveVirtualServer(text: VirtualServerText & Read, home: Home): Steps<VirtualServer | undefined> {
  const { remarks } = home
  const header = text.header as VirtualServerText['header'] | undefined
  if (header === undefined) return undefined
  const protocol = protocols[text.protocol ?? 'UDP']
  const target = resolveTarget(text, home)
  if (target === undefined) return undefined
  if (text.scheduler === undefined) remarks.add('W040', placeOfKeyword(text), 'no lb_algo is given: wlc is used')
  if (text.lvsMethod === undefined) remarks.add('W041', placeOfKeyword(text), 'no lb_kind is given: NAT is used')
  if (text.protocol === undefined && target.kind !== 'fwmark')
    remarks.add('W042', placeOfKeyword(text), 'no protocol is given: UDP is used')
  const forwarding = shared('forwarding', text.lvsMethod ?? nat)
  const port = target.kind === 'address' ? target.port : target.kind === 'group' ? groupPort(target) : 0
  const realServers: RealServer[] = []
  for (const real of text.realServers as readonly (RealServerText & Read)[]) {
    const { kept } = real[written]
    const header = real.header as RealServerText['header'] | undefined
    realServers.push(
      kept === undefined
        ? resolveRealServer(real, { vs: text, target, port }, home, header)
        : (kept.block as RealServer),
    )
    if (realServers.length % partsAtOnce === 0) yield
  }
  return {
    place: placeOf(text[written]),
    name: nameOf(target, protocol),
    target,
    protocol,
    scheduler: text.scheduler ?? 'wlc',
    forwarding,
    persistenceTimeout: text.persistenceTimeout ?? (text.persistenceGranularity === undefined ? 0 : 360),
    persistenceGranularity: granularity(text, target, remarks),
    persistenceEngine: text.persistenceEngine,
    onePacket: text.onePacket,
    flag1: text.flag1 || text.shFallback || text.mhFallback,
    flag2: text.flag2 || text.shPort || text.mhPort,
    flag3: text.flag3,
    haSuspend: text.haSuspend,
    virtualhost: text.virtualhost,
    alpha: text.alpha,
    omega: text.omega,
    quorum: text.quorum,
    hysteresis: text.hysteresis,
    quorumUp: text.quorumUp,
    quorumDown: text.quorumDown,
    delayLoop: text.delayLoop,
    panicThreshold: text.panicThreshold,
    slowStart: text.slowStart,
    drainOnRemoval: text.drainOnRemoval ?? home.drainOnRemoval ?? seconds(0),
    smtpAlert: text.smtpAlert ?? home.smtpAlert ?? false,
    snmpName: text.snmpName,
    serverDefaults: shared('server defaults', {
      weight: text.weight,
      inhibitOnFailure: text.inhibitOnFailure,
      ...checkDefaults(text, text.alpha, text.delayLoop),
    }),
    sorryServer: resolveSorryServer(text, forwarding, target.kind === 'group' ? 0 : port),
    realServers,
    ...resolveDynamic(text, target, home),
  }
}

/** Without a template there is nothing to make servers of; rules.ts says so. */
function resolveDynamic(
  text: VirtualServerText & Read,
  target: VirtualServerTarget,
  home: Home,
): { readonly dynamic?: DynamicServers } {
  const template = text.realServerTemplate as TemplateText | undefined
  if (text.serversFrom.length === 0 || template === undefined) return {}
  const family: Family = familiesOf(target).has('inet6') ? 'inet6' : 'inet'
  return {
    dynamic: {
      sources: text.serversFrom.map((from) => resolveSource(from, family)),
      template: resolveRealServer(template, { vs: text, target, port: 0 }, home, {
        address: anyAddressOf(family),
        port: undefined,
      }),
    },
  }
}

/** A real server without the words before its brace. */
type TemplateText = Omit<RealServerText, 'header'> & Read

/** The virtual server as far as it is known, and its port (0: none of its own). */
interface Parent {
  readonly vs: VirtualServerText
  readonly target: VirtualServerTarget
  readonly port: number
}

function resolveRealServer(
  text: TemplateText,
  { vs, target, port: vsPort }: Parent,
  home: Home,
  header: RealServerText['header'] | undefined,
): RealServer {
  const address = header?.address ?? ('0.0.0.0' as Address)
  const given = header?.port === undefined || header.port === 0 ? undefined : header.port
  const inGroup = 'group' in vs.header
  // In a group each entry has a port of its own; checks go to the first one's.
  const port = given ?? (inGroup ? 0 : vsPort)
  const weight = text.weight ?? vs.weight
  const forwarding = shared('forwarding', text.lvsMethod ?? vs.lvsMethod ?? nat)
  const inside = {
    virtualServer: vs,
    realServer: text,
    address,
    port: given ?? vsPort,
    weight,
    target,
    forwarding,
    definitions: home.definitions,
    globals: home.globals,
    ssl: home.ssl,
    remarks: home.remarks,
  }
  return {
    place: placeOf(text[written]),
    address,
    port,
    weight,
    forwarding,
    inhibitOnFailure: text.inhibitOnFailure ?? vs.inhibitOnFailure,
    degradedWeight: text.degradedWeight,
    tier: text.tier,
    upperThreshold: text.upperThreshold,
    lowerThreshold: text.lowerThreshold,
    notifyUp: text.notifyUp,
    notifyDown: text.notifyDown,
    smtpAlert: text.smtpAlert ?? home.smtpAlert ?? true,
    snmpName: text.snmpName,
    checkDefaults: inheritedDefaults(vs, text),
    virtualhost: text.virtualhost,
    checkers: resolveCheckers(text, inside, home.checkers),
  }
}

function resolveCheckers(text: TemplateText, home: CheckerHome, known: Home['checkers']): readonly CheckerConfig[] {
  const resolved: CheckerConfig[] = []
  for (const { checker, block } of checkersIn(text, known)) {
    for (const each of spread(checker, block)) resolved.push(resolveChecker(checker, each, home))
  }
  // Copied: an array that grew has room for sixteen more.
  return resolved.slice()
}

interface WrittenChecker {
  readonly checker: CheckerBlock
  readonly block: Read
}

/** The checker blocks of a real server in the order in which they are written. */
function checkersIn(text: TemplateText, known: Home['checkers']): readonly WrittenChecker[] {
  const found: WrittenChecker[] = []
  // Keys are what is written: the rest is inherited (read.ts).
  for (const key of Object.keys(text)) {
    const checker = known.get(key)
    if (checker !== undefined) for (const block of text[key] as readonly Read[]) found.push({ checker, block })
  }
  const body = text[written].body
  if (found.length > 1 && body !== undefined)
    found.sort((a, b) => body.indexOf(a.block[written]) - body.indexOf(b.block[written]))
  return found
}

function resolveSorryServer(text: VirtualServerText, forwarding: Forwarding, vsPort: number): SorryServer | undefined {
  const { sorryServer } = text
  if (sorryServer === undefined) return undefined
  const own = text.sorryServerLvsMethod ?? forwarding
  const port = own.method === 'masq' ? (sorryServer.port ?? vsPort) : vsPort
  return { address: sorryServer.address, port, forwarding: own, inhibit: text.sorryServerInhibit }
}

function resolveTarget(text: VirtualServerText & Read, { groups, remarks }: Home): VirtualServerTarget | undefined {
  const { header } = text
  if ('address' in header) return { kind: 'address', address: header.address, port: header.port ?? 0 }
  const fallback = text.ipFamily ?? familyOfServers(text)
  if ('fwmark' in header) return { kind: 'fwmark', fwmark: header.fwmark, family: fallback }
  const group = groups.get(header.group)
  if (group === undefined) {
    remarks.add('E040', placeOf(text[written], 2), `no virtual_server_group is named "${header.group}"`)
    return undefined
  }
  const all = group.entries.flatMap((entry): readonly Entry[] =>
    'fwmark' in entry
      ? [{ kind: 'fwmark', fwmark: entry.fwmark, family: entry.family ?? fallback }]
      : Array.from(addressRange(entry.first, entry.last), (address) => ({
          kind: 'address',
          address,
          port: entry.port ?? 0,
        })),
  )
  return { kind: 'group', group: header.group, entries: all }
}

type Entry = Extract<VirtualServerTarget, { kind: 'group' }>['entries'][number]

function groupPort({ entries }: Extract<VirtualServerTarget, { kind: 'group' }>): number {
  const found = entries.find((entry) => entry.kind === 'address')
  return found?.kind === 'address' ? found.port : 0
}

function familyOfServers(text: VirtualServerText): Family {
  const header = text.realServers[0]?.header
  return header === undefined ? 'inet' : familyOf(header.address)
}

const alone: Readonly<Record<Family, ReadonlySet<Family>>> = { inet: new Set(['inet']), inet6: new Set(['inet6']) }

/** The families a target has: more than one only in a group. */
export function familiesOf(target: VirtualServerTarget): ReadonlySet<Family> {
  return target.kind === 'group' ? new Set(target.entries.map(familyOfEntry)) : alone[familyOfEntry(target)]
}

const familyOfEntry = (entry: Entry): Family => (entry.kind === 'address' ? familyOf(entry.address) : entry.family)

function granularity(text: VirtualServerText & Read, target: VirtualServerTarget, remarks: Remarks): number {
  const family = familiesOf(target).has('inet6') ? 'inet6' : 'inet'
  const given = text.persistenceGranularity
  if (given === undefined) return family === 'inet' ? 0xffffffff : 128
  if (family === 'inet' && 'mask' in given) return maskNumber(given.mask)
  if (family === 'inet6' && 'prefix' in given) return given.prefix
  const wanted = family === 'inet' ? 'a mask, such as 255.255.255.0' : 'a prefix length, 1 to 128'
  remarks.add(
    'E022',
    placeOfKeyword(text, 'persistence_granularity'),
    `an ${family === 'inet' ? 'IPv4' : 'IPv6'} service takes ${wanted}`,
  )
  return family === 'inet' ? 0xffffffff : 128
}

type PassedOn = Pick<VirtualServerText, 'retry' | 'delayBeforeRetry' | 'warmup' | 'connectTimeout'>

function inheritedDefaults(vs: VirtualServerText, real: TemplateText): CheckDefaults {
  const passedOn = {
    retry: real.retry ?? vs.retry,
    delayBeforeRetry: real.delayBeforeRetry ?? vs.delayBeforeRetry,
    warmup: real.warmup ?? vs.warmup,
    connectTimeout: real.connectTimeout ?? vs.connectTimeout,
  }
  return shared('check defaults', checkDefaults(passedOn, real.alpha ?? vs.alpha, real.delayLoop ?? vs.delayLoop))
}

const checkDefaults = (text: PassedOn, alpha: boolean, delayLoop: Millis): CheckDefaults => ({
  alpha,
  delayLoop,
  retry: text.retry ?? 0,
  delayBeforeRetry: text.delayBeforeRetry ?? seconds(0),
  warmup: text.warmup ?? seconds(0),
  connectTimeout: text.connectTimeout ?? seconds(5),
})

/** The groups as SNMP shows them. */
export function groupsOf(groups: Home['groups']): readonly VirtualServerGroup[] {
  return [...groups].map(([name, { entries }]) => ({
    name,
    members: [
      ...entries.flatMap((entry) => ('fwmark' in entry ? [{ kind: 'fwmark' as const, fwmark: entry.fwmark }] : [])),
      ...entries.flatMap((entry) =>
        'fwmark' in entry
          ? []
          : [{ kind: 'addresses' as const, first: entry.first, last: entry.last, port: entry.port ?? 0 }],
      ),
    ],
  }))
}

function nameOf(target: VirtualServerTarget, protocol: string): string {
  if (target.kind === 'address') return inOnePiece(`${formatEndpoint(target)}/${protocol}`)
  return target.kind === 'fwmark' ? `fwmark ${target.fwmark}/${target.family}` : `group ${target.group}/${protocol}`
}

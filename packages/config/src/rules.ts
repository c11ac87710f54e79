import { type Family, familyOf, formatEndpoint } from '@ipvs-director/core'
import type { RealServer, VirtualServer } from './config.ts'
import type { Code } from './codes.ts'
import type { Remarks } from './diagnostics.ts'
import type { RealServerText, VirtualServerText } from './grammar/virtual-server.ts'
import { familiesOf } from './inherit.ts'
import { placeOfKeyword, type Read, written } from './read.ts'
import { partsAtOnce, type Steps } from './steps.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * Rules across the keywords of a virtual server (reference/checkers.md §5 and §7): what keepalived corrects is corrected
 * in the same way and told; what cannot be is an error, which takes the virtual server out. Rests now and then.
 */
export function* applyRules(
  resolved: VirtualServer,
  text: VirtualServerText & Read,
  remarks: Remarks,
): Steps<VirtualServer> {
  const vs: Writable<VirtualServer> = { ...resolved }
  const say = (code: Code, message: string, keyword?: string): void => {
    remarks.add(code, placeOfKeyword(text, keyword), message)
  }
  dynamic(text, vs, say)
  if (text.realServers.length === 0 && text.serversFrom.length === 0) say('E060', `${vs.name} has no real_server`)
  clearWithoutEffect(vs, text, say)
  persistence(vs, say)
  vs.realServers = yield* realServers(vs, text, remarks)
  // How many there will be is not known.
  if (text.serversFrom.length === 0) quorum(vs, say)
  sorryServer(vs, text, say)
  const all = vs.dynamic === undefined ? vs.realServers : [...vs.realServers, vs.dynamic.template]
  if (all.length > 0 && all.every((server) => server.checkers.length === 0)) {
    say('W053', `no real server of ${vs.name} is checked: all count as always up`)
  }
  return vs
}

function dynamic({ serversFrom, realServerTemplate }: VirtualServerText, vs: VirtualServer, say: Say): void {
  if (serversFrom.length > 0 && realServerTemplate === undefined)
    say('E066', 'real_servers_from needs a real_server_template: how its servers are checked', 'real_servers_from')
  const families = familiesOf(vs.target)
  for (const source of vs.dynamic?.sources ?? []) {
    if (source.kind !== 'dns' || families.has(source.family)) continue
    if (vs.dynamic?.template.forwarding.method !== 'tunnel')
      say(
        'E061',
        `${source.type} records of ${source.name} and ${vs.name} are of different families: only lvs_method TUN can do that`,
        'real_servers_from',
      )
  }
  if (serversFrom.length === 0 && realServerTemplate !== undefined)
    say('W057', 'real_server_template has no effect without real_servers_from', 'real_server_template')
}

type Say = (code: Code, message: string, keyword?: string) => void

function clearWithoutEffect(vs: Writable<VirtualServer>, text: VirtualServerText & Read, say: Say): void {
  const fwmark = vs.target.kind === 'fwmark'
  if (vs.onePacket && vs.protocol !== 'udp' && !fwmark) {
    say('W047', `ops has no effect with protocol ${vs.protocol.toUpperCase()}`, 'ops')
    vs.onePacket = false
  }
  if (vs.haSuspend && fwmark) {
    say('W047', 'ha_suspend has no effect on a fwmark service: it has no address', 'ha_suspend')
    vs.haSuspend = false
  }
  if (fwmark && text.protocol !== undefined) say('W047', 'protocol has no effect on a fwmark service', 'protocol')
  if (vs.persistenceEngine !== undefined && vs.persistenceTimeout === 0) {
    say('W047', 'persistence_engine has no effect without persistence_timeout', 'persistence_engine')
  }
  schedulerFlags(vs, text, say)
}

/** sh-* and mh-* count only after their scheduler. */
function schedulerFlags(vs: Writable<VirtualServer>, text: VirtualServerText & Read, say: Say): void {
  if (!(text.shFallback || text.mhFallback || text.shPort || text.mhPort)) return
  const body = text[written].body ?? []
  const scheduler = body.findIndex((child) => child.field?.name === 'lb_algo')
  const counts = (keyword: string, wanted: string, on: boolean): boolean => {
    if (!on) return false
    const at = body.findIndex((child) => child.keyword === keyword)
    if (vs.scheduler === wanted && scheduler >= 0 && scheduler < at) return true
    say('W049', `${keyword} has no effect: "lb_algo ${wanted}" does not stand before it`, keyword)
    return false
  }
  vs.flag1 = [
    text.flag1,
    counts('sh-fallback', 'sh', text.shFallback),
    counts('mh-fallback', 'mh', text.mhFallback),
  ].includes(true)
  vs.flag2 = [text.flag2, counts('sh-port', 'sh', text.shPort), counts('mh-port', 'mh', text.mhPort)].includes(true)
}

function persistence(vs: Writable<VirtualServer>, say: Say): void {
  if (vs.persistenceTimeout > 0) return
  const entries = vs.target.kind === 'group' ? vs.target.entries : []
  const portless = entries.find((entry) => entry.kind === 'address' && entry.port === 0)
  if (portless?.kind === 'address')
    say('W091', `${portless.address} of ${vs.name} has no port and no persistence_timeout: IPVS serves nobody there`)
  if (vs.target.kind !== 'address' || vs.target.port !== 0) return
  say('W046', `${vs.name} has no port and no persistence_timeout: 360 s is used`)
  vs.persistenceTimeout = 360
}

function* realServers(
  vs: VirtualServer,
  text: VirtualServerText & Read,
  remarks: Remarks,
): Steps<readonly RealServer[]> {
  const around = { vs, families: familiesOf(vs.target), seen: new Set<string>(), remarks }
  const kept: RealServer[] = []
  for (let i = 0; i < vs.realServers.length; i++) {
    if ((i + 1) % partsAtOnce === 0) yield
    const server = vs.realServers[i]
    const block = text.realServers[i] as (RealServerText & Read) | undefined
    const fixed = server === undefined || block === undefined ? undefined : realServer(server, block, around)
    if (fixed !== undefined) kept.push(fixed)
  }
  // Copied: an array that grew has room for sixteen more.
  return kept.slice()
}

/** What a real server is held against. */
interface Around {
  readonly vs: VirtualServer
  readonly families: ReadonlySet<Family>
  /** Endpoints of those before it. */
  readonly seen: Set<string>
  readonly remarks: Remarks
}

/** Undefined: it is left out. */
function realServer(
  server: RealServer,
  block: RealServerText & Read,
  { vs, families, seen, remarks }: Around,
): RealServer | undefined {
  const given = block.header as RealServerText['header'] | undefined
  if (given === undefined) return undefined
  const foreign = families.size > 1 || !families.has(familyOf(server.address))
  if (server.forwarding.method !== 'tunnel' && foreign) {
    remarks.add(
      'E061',
      placeOfKeyword(block),
      `${server.address} and ${vs.name} are of different families: only lvs_method TUN can do that`,
    )
  }
  const fixed = withPort(vs, server, given.port ?? 0, (message) => {
    remarks.add('W045', placeOfKeyword(block), message)
  })
  const key = formatEndpoint(fixed)
  if (seen.has(key)) {
    const name = formatEndpoint(server)
    remarks.add('W048', placeOfKeyword(block), `real_server ${name} stands twice in ${vs.name}; this one is left out`)
    return undefined
  }
  seen.add(key)
  if (fixed.upperThreshold > 0 && fixed.lowerThreshold > fixed.upperThreshold) {
    remarks.add(
      'E064',
      placeOfKeyword(block, 'lthreshold'),
      `lthreshold ${fixed.lowerThreshold} is above uthreshold ${fixed.upperThreshold}`,
    )
  }
  if (vs.target.kind === 'address' && server.address === vs.target.address) {
    remarks.add('W051', placeOfKeyword(block), `${server.address} is the address of the virtual server itself`)
  }
  return fixed
}

/** With DR and TUN the real server gets the packets unchanged: its port is the virtual server's. */
function withPort(vs: VirtualServer, server: RealServer, given: number, say: (message: string) => void): RealServer {
  if (server.forwarding.method === 'masq' || vs.target.kind === 'group') return server
  const wanted = vs.target.kind === 'address' ? vs.target.port : 0
  if (given !== 0 && given !== wanted) {
    const how = server.forwarding.method === 'droute' ? 'DR' : 'TUN'
    say(
      `with ${how} the port stays what the client used: ${wanted === 0 ? 'no port' : `port ${wanted}`} is used, not ${given}`,
    )
  }
  return server.port === wanted ? server : { ...server, port: wanted }
}

function quorum(vs: Writable<VirtualServer>, say: Say): void {
  const sum = vs.realServers.reduce((total, server) => total + server.weight, 0)
  if (vs.realServers.length > 0 && sum === 0) say('W052', `all real servers of ${vs.name} have weight 0`)
  if (vs.quorum > Math.max(1, sum)) {
    say(
      'W090',
      `quorum ${vs.quorum} is more than all real servers weigh together: ${Math.max(1, sum)} is used`,
      'quorum',
    )
    vs.quorum = Math.max(1, sum)
  }
  if (vs.hysteresis >= vs.quorum && vs.hysteresis > 0) {
    say('W044', `hysteresis ${vs.hysteresis} is not below quorum ${vs.quorum}: ${vs.quorum - 1} is used`, 'hysteresis')
    vs.hysteresis = vs.quorum - 1
  }
  if (sum > 0 && vs.quorum + vs.hysteresis > sum) {
    say(
      'W043',
      `quorum ${vs.quorum} and hysteresis ${vs.hysteresis} are more than the weight of all real servers (${sum}): it is never gained`,
      'hysteresis',
    )
  }
}

function sorryServer(vs: Writable<VirtualServer>, text: VirtualServerText & Read, say: Say): void {
  if (vs.sorryServer === undefined && !text.sorryServerInhibit && text.sorryServerLvsMethod === undefined) return
  const body = text[written].body ?? []
  const at = body.findIndex((child) => child.keyword === 'sorry_server')
  for (const keyword of ['sorry_server_inhibit', 'sorry_server_lvs_method'] as const) {
    const option = body.findIndex((child) => child.keyword === keyword)
    if (option < 0 || (at >= 0 && at < option)) continue
    say('W054', `${keyword} has no effect: no sorry_server stands before it`, keyword)
    if (vs.sorryServer === undefined) continue
    vs.sorryServer =
      keyword === 'sorry_server_inhibit'
        ? { ...vs.sorryServer, inhibit: false }
        : { ...vs.sorryServer, forwarding: vs.forwarding }
  }
  const sorry = vs.sorryServer
  if (sorry === undefined) return
  if (
    sorry.forwarding.method !== 'tunnel' &&
    [...familiesOf(vs.target)].some((family) => family !== familyOf(sorry.address))
  ) {
    say(
      'E061',
      `sorry_server ${sorry.address} is of another family than ${vs.name}: only lvs_method TUN can do that`,
      'sorry_server',
    )
  }
  const same = vs.realServers.find((server) => server.address === sorry.address && server.port === sorry.port)
  if (same === undefined) return
  say('W088', `sorry_server ${formatEndpoint(sorry)} is also a real server of ${vs.name}`, 'sorry_server')
  vs.sorryServer = { ...sorry, inhibit: same.inhibitOnFailure }
}

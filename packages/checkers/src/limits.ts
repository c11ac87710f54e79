import type { CheckerConfig, Config } from '@ipvs-director/config'
import { count, formatDuration, seconds } from '@ipvs-director/core'
import { readFileSync } from 'node:fs'
import { checkers } from './checkers.ts'
import { checkId } from './identity.ts'

/** What this machine gives to probing. */
export interface Means {
  /** Prober processes. */
  readonly probers: number
  /** Descriptors that each of them may have (RLIMIT_NOFILE, soft). */
  readonly descriptors: number
  /** Local ports for connections (net.ipv4.ip_local_port_range). */
  readonly ports: number
}

/** What the checks of a configuration ask for, each distinct check counted once, and what of it will not fit. */
export interface Limits {
  readonly checks: number
  /** Probes a second while all is well. */
  readonly rate: number
  /** Probes under way at once when every server is silent. */
  readonly open: number
  /** Share of the processors' time that a prober needs, as measured on one core; above 1 rounds run late. */
  readonly load: number
  /** Resident memory of all probers together, bytes. */
  readonly memory: number
  /** Sentences, each with what to change. */
  readonly remarks: readonly string[]
}

/** Descriptors of a prober for everything but probes. */
export const ownDescriptors = 64
/** A closed connection keeps its local port for so long (TIME_WAIT). */
const portRest = seconds(60)
/** Probes a second on one core, where they cost least; docs/benchmarks.md. */
const ceilings: Readonly<Record<string, number>> = { SSL_GET: 1000, HTTP_GET: 8000, GRPC_CHECK: 1500, MISC_CHECK: 300 }
const otherCeiling = 12_000
/** A process before its first check, and each check in it; docs/benchmarks.md. */
const processBytes = 70 * 2 ** 20
const checkBytes = 6 * 1024

/** Counts what the configuration will need, before it is needed. */
export function limitsOf(config: Config, means: Means): Limits {
  const counted = countChecks()
  for (const check of checksIn(config)) counted.add(check)
  return counted.limits(means)
}

/** The same, check by check: of very many, which others cannot wait for. */
export interface CheckCount {
  readonly add: (check: CheckerConfig) => void
  readonly limits: (means: Means) => Limits
}

const identityOf = ({ kind, connection, options, timing }: CheckerConfig): string =>
  checkId(kind, connection, options, timing)

/** Begins to count. `idOf`: the id of a check, where that is known already. */
export function countChecks(idOf = identityOf): CheckCount {
  const known = new Set<string>()
  const ports = countPorts()
  let [rate, open, time] = [0, 0, 0]
  return {
    add(check) {
      const id = idOf(check)
      if (known.has(id)) return
      known.add(id)
      const needs = needsOf(check)
      rate += needs.rate
      open += needs.open
      time += needs.rate / (ceilings[check.kind] ?? otherCeiling)
      ports.add(check, needs.rate)
    },
    limits(means) {
      const { probers } = means
      const memory = probers * processBytes + known.size * checkBytes
      const limits = { checks: known.size, rate, open: Math.ceil(open), load: time / probers, memory }
      return { ...limits, remarks: [...remarksOn(limits, means), ...ports.remarks(means)] }
    },
  }
}

/** Every check as it is written; equal ones are made once. */
export function* checksIn({ virtualServers }: Config): Generator<CheckerConfig> {
  for (const { realServers } of virtualServers) for (const { checkers: each } of realServers) yield* each
}

/** This machine as it is. */
export function meansHere(probers: number): Means {
  const limit = /^Max open files\s+(\d+)/m.exec(readOr('/proc/self/limits', ''))?.[1]
  const [from = 32_768, to = 60_999] = readOr('/proc/sys/net/ipv4/ip_local_port_range', '32768 60999')
    .trim()
    .split(/\s+/)
    .map(Number)
  return { probers, descriptors: Number(limit ?? 1024), ports: to - from + 1 }
}

/** Probes a second of a check whose server is well, and how much of the time one is under way where it is silent. */
function needsOf({ kind, timing, connection }: CheckerConfig): { readonly rate: number; readonly open: number } {
  const checker = checkers.find((each) => each.keyword === kind)
  if (checker === undefined || checker.watch !== undefined) return { rate: 0, open: 0 }
  const { delayLoop, timeout } = timing
  // A data path holds its local port by a socket of its own.
  const held = connection?.through === undefined ? 0 : 1
  return { rate: 1000 / delayLoop, open: checker.local ? 0 : held + timeout / (timeout + delayLoop) }
}

function remarksOn({ open, load, rate }: Omit<Limits, 'remarks'>, { probers, descriptors }: Means): string[] {
  const room = probers * Math.max(0, descriptors - ownDescriptors)
  const remarks: string[] = []
  if (open > room) {
    const wanted = Math.ceil(open / probers) + ownDescriptors
    remarks.push(
      `${open} probes may be under way at once, and ${count(probers, 'prober')} ${probers === 1 ? 'has' : 'have'} descriptors for ${room}: the others would ` +
        `wait. Raise the limit of open files to ${wanted} (LimitNOFILE=${wanted})`,
    )
  }
  if (load > 0.7) {
    const more = Math.ceil((probers * load) / 0.7)
    remarks.push(
      `${Math.round(rate)} probes a second are ${Math.round(load * 100)} % of what ${count(probers, 'prober')} can do: rounds ` +
        `will run late. Use ${more} probers on as many processors, or a longer delay_loop`,
    )
  }
  return remarks
}

interface PortCount {
  readonly add: (check: CheckerConfig, rate: number) => void
  readonly remarks: (means: Means) => string[]
}

/** Connections to one address and port share the local ports, and each keeps one for a minute after its end. */
function countPorts(): PortCount {
  const targets = new Map<string, number>()
  const bound: string[] = []
  return {
    add({ connection, kind, timing }, rate) {
      // On the data path each check has a port of its own, and resets its connections.
      if (connection === undefined || connection.through !== undefined || !connects(kind)) return
      const { address, port, bindAddress, bindPort } = connection
      if (bindPort === undefined) {
        const target = `${address} port ${port}${bindAddress === undefined ? '' : ` from ${bindAddress}`}`
        targets.set(target, (targets.get(target) ?? 0) + rate)
      } else if (timing.delayLoop < portRest) {
        bound.push(
          `${kind} of ${address} port ${port} connects from port ${bindPort} every ${formatDuration(timing.delayLoop)}, and ` +
            `a port rests for ${formatDuration(portRest)} after each connection: leave out bind_port`,
        )
      }
    },
    remarks({ ports }) {
      const crowded = [...targets].filter(([, rate]) => portsFor(rate) > ports)
      return [
        ...bound,
        ...crowded.map(
          ([target, rate]) =>
            `${Math.round(rate)} connections a second to ${target} hold ${portsFor(rate)} local ports, and there are ${ports}: widen ` +
            'net.ipv4.ip_local_port_range or use a longer delay_loop',
        ),
      ]
    },
  }
}

/** Local ports that so many connections a second hold. */
const portsFor = (rate: number): number => Math.ceil((rate * portRest) / 1000)

const connects = (kind: string): boolean => !['UDP_CHECK', 'DNS_CHECK', 'PING_CHECK'].includes(kind)

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

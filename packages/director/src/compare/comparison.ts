import type { CheckerConfig } from '@ipvs-director/config'
import type { CompareStatus, Difference, DriftReport } from '@ipvs-director/control'
import { count, describeError, formatDuration, formatEndpoint, millis, seconds, type Clock, type Logger, type Timer } from '@ipvs-director/core' // prettier-ignore
import { serviceId, type IpvsClient, type Table } from 'ipvs-netlink'
import type { Audits } from '../audits.ts'
import { destinationName, serviceKeys } from '../desired.ts'
import type { EventLog } from '../events.ts'
import type { Pool, PoolServer } from '../pool.ts'
import { differenceKey, differencesOf, type TableDifference } from './differences.ts'
import { patienceOf, quorumText, warmupOf, whyServer } from './why.ts'

export interface ComparisonOptions {
  readonly ipvs: Pick<IpvsClient, 'audit'>
  /** What we would have in the kernel. */
  readonly desired: Table
  readonly pools: () => readonly Pool[]
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventLog
}

/** In place of audits: where the program beside us, which writes the kernel's table, has decided otherwise. */
export interface Comparison extends Audits {
  readonly comparing: () => CompareStatus
}

/** The shortest time between two looks, and how much of the time they may take. */
const shortestGap = seconds(1)
const share = 20
/** Differences that ended are remembered for `ipvs-ctl drift`, and told in the summary. */
const remembered = 100
const toldAtTheEnd = 20

/** BFD has one program to a machine: it is left to the one beside us. Data paths are services that we may not make. */
export const isProbedBeside = ({ kind, connection }: Pick<CheckerConfig, 'kind' | 'connection'>): boolean =>
  kind !== 'BFD_CHECK' && connection?.through === undefined

/** One difference as it is followed. */
interface Followed {
  readonly since: number
  readonly startedAt: number
  readonly patience: number
  difference: Difference
  counted: boolean
}

/**
 * Looks at the kernel again and again. What differs is followed from the look that found it; it counts when it is older
 * than the server's own checks may take, because two programs never notice at the same moment.
 */
export function createComparison(options: ComparisonOptions): Comparison {
  const { ipvs, desired, pools, clock, logger, events } = options
  const startedAt = clock.wall()
  const followed = new Map<string, Followed>()
  let ended: Difference[] = []
  let looks = 0
  let lookedAt: number | undefined
  let counted = 0
  let brief = { count: 0, longest: 0 }
  let begun: number | undefined
  let timer: Timer | undefined
  let stopped = false
  let queue: Promise<unknown> = Promise.resolve()

  function schedule(): void {
    if (begun !== undefined) return
    begun = clock.now()
    wait(shortestGap)
  }

  function wait(gap: number): void {
    if (stopped) return
    timer = clock.after(millis(gap), () => {
      const before = clock.now()
      look()
        .catch((error: unknown) => {
          logger.error('compare.failed', `cannot read the IPVS table: ${describeError(error)}`)
        })
        .finally(() => {
          wait(Math.max(shortestGap, (clock.now() - before) * share))
        })
    })
  }

  function look(): Promise<void> {
    const mine = queue.then(lookNow)
    queue = mine.catch(() => undefined)
    return mine
  }

  async function lookNow(): Promise<void> {
    const kernel = await ipvs.audit(desired)
    const now = clock.now()
    looks++
    lookedAt = clock.wall()
    const found = differencesOf(kernel, desired)
    const keys = new Set(found.map(differenceKey))
    for (const [key, each] of followed) if (!keys.has(key)) end(key, each, now)
    if (found.length === 0) return
    const services = poolsByService(pools())
    const warming = millis(Math.max(0, (begun ?? now) + warmupOf(pools()) - now))
    for (const each of found) {
      const sharing = services.get(each.service) ?? []
      if (isComparable(each, sharing)) follow(each, sharing, now, warming)
    }
  }

  function follow(found: TableDifference, sharing: readonly Pool[], now: number, warming: number): void {
    const key = differenceKey(found)
    const before = followed.get(key)
    const { why, patience } = explain(found, sharing)
    const since = before?.since ?? now
    const at = before?.startedAt ?? clock.wall()
    const allowed = before?.patience ?? patience + 2 * shortestGap + warming
    const { service, destination, kernel, ours } = found
    const difference: Difference = { at, service, server: destination, kernel, ours, why, patience: allowed }
    const each = before ?? { since, startedAt: at, patience: allowed, difference, counted: false }
    each.difference = difference
    followed.set(key, each)
    if (each.counted || now - since <= allowed) return
    each.counted = true
    counted++
    tell(
      'warn',
      'compare.different',
      `DIFFERENT for ${formatDuration(now - since)}: ${differenceText(difference)}`,
      found,
    )
  }

  function end(key: string, { since, counted: told, difference }: Followed, now: number): void {
    followed.delete(key)
    const lasted = now - since
    if (!told) {
      brief = { count: brief.count + 1, longest: Math.max(brief.longest, lasted) }
      return
    }
    const { service, server } = difference
    ended = [{ ...difference, until: clock.wall() }, ...ended].slice(0, remembered)
    const what = server === undefined ? service : `${server} of ${service}`
    tell('info', 'compare.agreed', `Agreed again on ${what} after ${formatDuration(lasted)}`, {
      service,
      destination: server,
    })
  }

  function tell(
    level: 'info' | 'warn',
    event: string,
    message: string,
    { service, destination }: Pick<TableDifference, 'service' | 'destination'>,
  ): void {
    const fields = { service, ...(destination === undefined ? {} : { server: destination }) }
    logger[level](event, message, fields)
    events.add(event, message, fields)
  }

  function explain(found: TableDifference, sharing: readonly Pool[]): { why: string; patience: number } {
    const { service, destination } = found
    const [pool] = sharing
    if (pool === undefined) return { why: 'the configuration has no such service', patience: shortestGap }
    const whole = Math.max(...sharing.flatMap(({ servers }) => [...servers.values()].map(patienceOf)), shortestGap)
    if (destination === undefined) return { why: 'so says the configuration', patience: whole }
    for (const each of sharing) {
      const server = serverOf(each, service, destination)
      if (server !== undefined) return { why: whyServer(each, server, clock.wall()), patience: patienceOf(server) }
      const { sorryServer } = each.config
      if (sorryServer !== undefined && formatEndpoint(sorryServer) === destination)
        return { why: `the sorry server; ${quorumText(each)}`, patience: whole }
    }
    return { why: 'the configuration has no such real server', patience: whole }
  }

  const open = (): Followed[] => [...followed.values()].filter((each) => each.counted)

  function report(): DriftReport {
    const asDrift = (difference: Difference) => ({
      at: difference.at,
      what: differenceText(difference),
      repaired: false,
    })
    return {
      at: lookedAt ?? startedAt,
      found: open().map(({ difference }) => asDrift(difference)),
      recent: ended.map(asDrift),
      foreign: [],
      comparing: true,
    }
  }

  return {
    schedule,
    async audit() {
      await look()
      return report()
    },
    last: async () => report(),
    comparing: () => ({
      since: startedAt,
      looks,
      lookedAt,
      waiting: followed.size - open().length,
      counted,
      brief,
      open: open().map(({ difference }) => difference),
      ended,
    }),
    stop() {
      stopped = true
      timer?.cancel()
      for (const line of summary()) logger.info('compare.summary', line)
    },
  }

  function summary(): string[] {
    const still = open()
    const told = [...still.map(({ difference }) => difference), ...ended].slice(0, toldAtTheEnd)
    return [
      `Compared for ${formatDuration(clock.wall() - startedAt)}, ${count(looks, 'look')} at the kernel: ` +
        `${count(counted, 'difference')} counted, ${still.length} of them still there; ` +
        `${brief.count} ${brief.count === 1 ? 'was' : 'were'} over before the checks' own delay, the longest after ${formatDuration(brief.longest)}`,
      ...told.map((each) => `different ${lengthOf(each)}: ${differenceText(each)}`),
      ...(counted > told.length ? [`and ${counted - told.length} more`] : []),
    ]
  }

  function lengthOf({ at, until }: Difference): string {
    return until === undefined ? `since ${formatDuration(clock.wall() - at)}` : `for ${formatDuration(until - at)}`
  }
}

/** What a check says that is not made here is not known. */
function isComparable({ service, destination }: TableDifference, sharing: readonly Pool[]): boolean {
  if (destination === undefined) return true
  const servers = sharing.map((pool) => serverOf(pool, service, destination))
  return !servers.some((server) => server?.config.checkers.some((checker) => !isProbedBeside(checker)))
}

/** `10.0.0.2:80 of 192.0.2.1:80/tcp: the kernel has weight 3, we would have weight 1: its checks pass, …`. */
export function differenceText({ service, server, kernel, ours, why }: Difference): string {
  const what = server === undefined ? service : `${server} of ${service}`
  return `${what}: the kernel has ${kernel}, we would have ${ours}: ${why}`
}

function poolsByService(pools: readonly Pool[]): Map<string, Pool[]> {
  const services = new Map<string, Pool[]>()
  for (const pool of pools) {
    for (const key of serviceKeys(pool.config)) {
      const id = serviceId(key)
      services.set(id, [...(services.get(id) ?? []), pool])
    }
  }
  return services
}

function serverOf(pool: Pool, service: string, destination: string): PoolServer | undefined {
  const key = serviceKeys(pool.config).find((each) => serviceId(each) === service)
  if (key === undefined) return undefined
  return [...pool.servers.values()].find((server) => destinationName(server, key) === destination)
}

import { checkers, checkId, type Check } from '@ipvs-director/checkers'
import { createEngine, type Engine } from '@ipvs-director/checkers/probing'
import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { seconds, systemClock } from '@ipvs-director/core'
import { openAlarm } from '@ipvs-director/linux'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { configOf, type Kind } from './servers.ts'

/** What a prober has done so far, told when SIGUSR2 asks for it: figures of thousands of checks cost time. */
export interface Told {
  readonly probes: number
  readonly failed: number
  /** Started more than 50 ms late. */
  readonly late: number
  readonly residentBytes: number
  /** Milliseconds, since it was last told: the longest that nothing had its turn, and the longest collection of garbage. */
  readonly stood: number
  readonly collected: number
  readonly reason: string | undefined
}

/** Every so-manieth check of the configuration, made every `interval` seconds. */
export interface Share {
  readonly part: number
  readonly parts: number
  readonly interval: number
  /** Look for pauses. That costs a wake-up every few milliseconds, which a comparison of processor time must not have. */
  readonly watch: boolean
}

/** A prober process as a fleet has it. */
export async function probe(kind: Kind, servers: number, { part, parts, interval, watch }: Share): Promise<void> {
  const engine = createEngine({
    clock: systemClock,
    alarm: openAlarm,
    events: {
      report: () => undefined,
      trouble: (message) => {
        console.error(message)
      },
    },
    limit: 15_000,
  })
  const pauses = watch ? watchPauses() : () => ({ stood: 0, collected: 0 })
  process.on('SIGUSR2', () => void tell(engine, pauses))
  const checks = await checksOf(kind, servers, interval)
  engine.setChecks(checks.filter((_, n) => n % parts === part))
}

/** Not all in one go, which for 25,000 would make probes late: near what can be held that would be what is measured. */
async function tell(engine: Engine, pauses: () => Pick<Told, 'stood' | 'collected'>): Promise<void> {
  const told = { probes: 0, failed: 0, late: 0, reason: undefined as string | undefined }
  const ids = engine.ids()
  for (let from = 0; from < ids.length; from += toldAtOnce) {
    for (const { probes, failed, late, last } of await engine.figures(ids.slice(from, from + toldAtOnce))) {
      told.probes += probes
      told.failed += failed
      told.late += late
      if (last?.up === false) told.reason = last.reason
    }
    await sleep(pause)
  }
  console.log(JSON.stringify({ ...told, ...pauses(), residentBytes: process.memoryUsage.rss() } satisfies Told))
}

const toldAtOnce = 250
const pause = 15

/** What kept the event loop, each time since the last call. */
function watchPauses(): () => Pick<Told, 'stood' | 'collected'> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  let collected = 0
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collected = Math.max(collected, duration)
  }).observe({ entryTypes: ['gc'] })
  return () => {
    const told = { stood: delay.max / 1e6, collected }
    delay.reset()
    collected = 0
    return told
  }
}

async function checksOf(kind: Kind, servers: number, interval: number): Promise<Check[]> {
  const read = filesInMemory(new Map([['/bench.conf', configOf(kind, servers, 'ours')]]))
  const { config } = await loadConfig('/bench.conf', { checkers, read, configId: 'bench' })
  return (config?.virtualServers[0]?.realServers ?? [])
    .flatMap((server) => server.checkers)
    .map((each) => ({
      id: checkId(each.kind, each.connection, each.options, each.timing),
      kind: each.kind,
      connection: each.connection,
      options: each.options,
      timing: { ...each.timing, delayLoop: seconds(interval), warmup: seconds(interval) },
      initial: { up: true, unproven: true, seen: false },
    }))
}

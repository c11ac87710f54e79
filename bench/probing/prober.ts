import { checkers, checkId, type Check } from '@ipvs-director/checkers'
import { createEngine, type Engine } from '@ipvs-director/checkers/probing'
import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { seconds, systemClock } from '@ipvs-director/core'
import { configOf, type Kind } from './servers.ts'

/** What a prober has done so far, told every second. */
export interface Told {
  readonly probes: number
  readonly failed: number
  readonly late: number
  readonly residentBytes: number
  readonly reason: string | undefined
}

/** Every so-manieth check of the configuration, made every `interval` seconds. */
export interface Share {
  readonly part: number
  readonly parts: number
  readonly interval: number
}

/** A prober process as a fleet has it. */
export async function probe(kind: Kind, servers: number, { part, parts, interval }: Share): Promise<void> {
  const checks = (await checksOf(kind, servers, interval)).filter((_, n) => n % parts === part)
  const engine = createEngine({
    clock: systemClock,
    events: {
      report: () => undefined,
      trouble: (message) => {
        console.error(message)
      },
    },
    limit: 15_000,
  })
  engine.setChecks(checks)
  setInterval(() => void tell(engine), 1000)
}

async function tell(engine: Engine): Promise<void> {
  const told = { probes: 0, failed: 0, late: 0, reason: undefined as string | undefined }
  for (const { probes, failed, late, last } of await engine.figures()) {
    told.probes += probes
    told.failed += failed
    told.late += late
    if (last?.up === false) told.reason = last.reason
  }
  console.log(JSON.stringify({ ...told, residentBytes: process.memoryUsage.rss() } satisfies Told))
}

async function checksOf(kind: Kind, servers: number, interval: number): Promise<Check[]> {
  const read = filesInMemory(new Map([['/bench.conf', configOf(kind, servers)]]))
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

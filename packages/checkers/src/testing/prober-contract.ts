import { millis, type Millis } from '@ipvs-director/core'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Check, Figures, Prober, ProberEvents } from '../checker.ts'
import { checkOf, connectionTo, recordedEvents } from './checks.ts'
import { testServers, type TestServers } from './servers.ts'

const fast = { delayLoop: millis(40), delayBeforeRetry: millis(20), timeout: millis(1000) }

/** What every {@link Prober} does, by real probes of real servers. `make` starts one whose first wait is short. */
export function proberContract(make: (events: ProberEvents, firstWait: Millis) => Prober): void {
  const cleanups: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  })

  function start(): { prober: Prober; events: ReturnType<typeof recordedEvents>; servers: TestServers } {
    const events = recordedEvents()
    const prober = make(events, millis(10))
    const servers = testServers()
    cleanups.push(
      () => prober.stop(),
      () => servers.close(),
    )
    return { prober, events, servers }
  }

  const tcp = (port: number, change: Parameters<typeof checkOf>[3] = {}): Check =>
    checkOf('TCP_CHECK', connectionTo(port), {}, { ...change, timing: { ...fast, ...change.timing } })
  const closing = (socket: Socket): void => void socket.end()
  const one = async (prober: Prober, id: string): Promise<Figures | undefined> => (await prober.figures([id]))[0]

  test('counts how long each probe took', async () => {
    const { prober, servers } = start()
    const up = tcp(await servers.tcp(closing))
    prober.setChecks([up])
    await expect.poll(async () => (await one(prober, up.id))?.probes ?? 0, { timeout: 5000 }).toBeGreaterThan(2)
    const { probes, durations } = (await one(prober, up.id)) ?? {}
    expect(durations?.counts.reduce((total, each) => total + each, 0)).toBe(probes)
    expect(durations?.sum).toBeGreaterThan(0)
  })

  test('tells the first verdict of each check, once', async () => {
    const { prober, events, servers } = start()
    const [up, down] = [tcp(await servers.tcp(closing)), tcp(await servers.closedPort())]
    prober.setChecks([up, down])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(2)
    await expect.poll(async () => (await one(prober, up.id))?.probes ?? 0, { timeout: 5000 }).toBeGreaterThan(3)
    expect(events.reports).toHaveLength(2)
    const byId = new Map(events.reports.map((report) => [report.id, report]))
    expect(byId.get(up.id)).toMatchObject({ up: true, first: true, turned: false, verdict: { class: 'ok' } })
    expect(byId.get(down.id)).toMatchObject({ up: false, first: true, turned: true, verdict: { class: 'refused' } })
    expect(Math.abs((byId.get(up.id)?.at ?? 0) - Date.now())).toBeLessThan(10_000)
  })

  test('tells each turn, with all the retries of one that was up', async () => {
    const { prober, events, servers } = start()
    let refusing = false
    const port = await servers.tcp((socket) => {
      if (refusing) socket.resetAndDestroy()
      else socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\n'))
    })
    const url = { path: '/', method: 'GET', headers: [], status: [{ from: 200, to: 299 }], tlsCompliant: false }
    const options = { urls: [url], protocol: '1.0', fastRecovery: true, tls: undefined }
    const check = checkOf('HTTP_GET', connectionTo(port), options, { timing: { ...fast, retry: 2 } })
    prober.setChecks([check])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
    refusing = true
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(2)
    refusing = false
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(3)
    expect(events.reports).toMatchObject([
      { up: true, first: true, turned: false },
      { up: false, first: false, turned: true, verdict: { class: 'reset' } },
      { up: true, first: false, turned: true },
    ])
    expect((await one(prober, check.id))?.failed).toBeGreaterThanOrEqual(3)
  })

  test('keeps what stays, starts what is new and stops what is gone', async () => {
    const { prober, events, servers } = start()
    const counts = [0, 0, 0]
    const ports = await Promise.all(
      [0, 1, 2].map((which) =>
        servers.tcp((socket) => {
          counts[which]!++
          socket.end()
        }),
      ),
    )
    const [a, b, c] = ports.map((port) => tcp(port)) as [Check, Check, Check]
    prober.setChecks([a, b])
    await expect.poll(() => Math.min(counts[0]!, counts[1]!), { timeout: 5000 }).toBeGreaterThan(2)
    prober.setChecks([a, c])
    await expect.poll(() => counts[2], { timeout: 5000 }).toBeGreaterThan(2)
    const [keptBefore, goneBefore] = [counts[0]!, counts[1]!]
    await expect.poll(() => counts[0], { timeout: 5000 }).toBeGreaterThan(keptBefore + 2)
    expect(counts[1]).toBe(goneBefore)
    expect(events.reports.map((report) => report.id)).toEqual(expect.arrayContaining([a.id, b.id, c.id]))
    expect(events.reports).toHaveLength(3)
    expect((await prober.figures()).map((figures) => figures.id).sort()).toEqual([a.id, c.id].sort())
  })

  test('is told what is different: what is gone ends, what comes starts, what is told again goes on', async () => {
    const { prober, events, servers } = start()
    const ports = await Promise.all([0, 1, 2].map(() => servers.tcp(closing)))
    const [a, b, c] = ports.map((port) => tcp(port)) as [Check, Check, Check]
    const idsNow = async (): Promise<string[]> => (await prober.figures()).map(({ id }) => id).sort()
    prober.setChecks([a, b])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(2)
    prober.changeChecks([b.id, 'never known'], [a, c])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(3)
    expect(events.reports[2]?.id).toBe(c.id)
    expect(await idsNow()).toEqual([a.id, c.id].sort())
    prober.changeChecks([a.id, c.id], [b])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(4)
    expect(await idsNow()).toEqual([b.id])
  })

  test('starts from what is believed already', async () => {
    const { prober, events, servers } = start()
    const open = await servers.tcp(closing)
    const seen = { seen: true, unproven: false }
    const upAndUp = tcp(open, { initial: { ...seen, up: true } })
    const downAndUp = tcp(open, { initial: { ...seen, up: false }, timing: { retry: 1 } })
    const closed = await servers.closedPort()
    const downAndDown = tcp(closed, { initial: { ...seen, up: false } })
    const upAndDown = tcp(closed, { initial: { ...seen, up: true }, timing: { retry: 1 } })
    prober.setChecks([upAndUp, downAndUp, downAndDown, upAndDown])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(2)
    await expect.poll(async () => (await one(prober, upAndUp.id))?.probes ?? 0, { timeout: 5000 }).toBeGreaterThan(2)
    expect(events.reports).toHaveLength(2)
    const byId = new Map(events.reports.map((report) => [report.id, report]))
    expect(byId.get(downAndUp.id)).toMatchObject({ up: true, first: false, turned: true })
    expect(byId.get(upAndDown.id)).toMatchObject({ up: false, first: false, turned: true })
  })

  test('figures: the last verdict, counts and the next start; unknown ids are left out', async () => {
    const { prober, events, servers } = start()
    const check = tcp(await servers.closedPort())
    prober.setChecks([check])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
    const figures = await prober.figures([check.id, 'unknown'])
    expect(figures).toHaveLength(1)
    expect(figures[0]).toMatchObject({ id: check.id, up: false, failures: 0, last: { class: 'refused', up: false } })
    expect(figures[0]?.probes).toBe(figures[0]?.failed)
    expect(figures[0]?.probes).toBeGreaterThan(0)
  })

  test('two thousand checks at once, then none', async () => {
    const { prober, events, servers } = start()
    const port = await servers.tcp(closing)
    const many = Array.from({ length: 2000 }, (_, i) =>
      tcp(port, { timing: { delayLoop: millis(60_000 + i), warmup: millis(500), timeout: millis(10_000) } }),
    )
    prober.setChecks(many)
    await expect.poll(() => events.reports.length, { timeout: 15_000 }).toBe(2000)
    expect(events.reports.every((report) => report.up && report.first)).toBe(true)
    prober.setChecks([])
    expect(await prober.figures()).toEqual([])
    expect(events.troubles).toEqual([])
  })

  test('after stop nothing is probed and nothing told', async () => {
    const { prober, events, servers } = start()
    let connections = 0
    const port = await servers.tcp((socket) => {
      connections++
      socket.end()
    })
    prober.setChecks([tcp(port)])
    await expect.poll(() => connections, { timeout: 5000 }).toBeGreaterThan(2)
    await prober.stop()
    const before = connections
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(connections).toBe(before)
    expect(events.reports).toHaveLength(1)
  })
}

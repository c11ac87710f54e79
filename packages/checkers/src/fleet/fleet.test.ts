import { millis, seconds, systemClock } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import { addonAvailable } from '@ipvs-director/linux'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Check } from '../checker.ts'
import { checkOf, connectionTo, recordedEvents } from '../testing/checks.ts'
import { bundleProber } from '../testing/prober-bundle.ts'
import { proberContract } from '../testing/prober-contract.ts'
import { answering, certificate, testServers } from '../testing/servers.ts'
import { createFleet, type Fleet, type FleetOptions } from './fleet.ts'

let entry = ''
let remove: (() => void) | undefined
const servers = testServers()
const stops: (() => Promise<void>)[] = []
beforeAll(async () => {
  const bundle = await bundleProber()
  entry = bundle.entry
  remove = () => {
    bundle.remove()
  }
}, 60_000)
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})
afterAll(async () => {
  await servers.close()
  remove?.()
})

describe('a fleet of two is a prober', () => {
  proberContract((events, firstWait) =>
    createFleet({ count: 2, entry, events, clock: systemClock, logger: arrayLogger(), firstWait }),
  )
})

interface Bench {
  readonly fleet: Fleet
  readonly events: ReturnType<typeof recordedEvents>
  readonly logger: ReturnType<typeof arrayLogger>
}

function start(change: Partial<FleetOptions> = {}): Bench {
  const events = recordedEvents()
  const logger = arrayLogger()
  const fleet = createFleet({ count: 1, entry, events, clock: systemClock, logger, firstWait: millis(10), ...change })
  stops.push(() => fleet.stop())
  return { fleet, events, logger }
}

const tcp = (port: number, change: Parameters<typeof checkOf>[3] = {}): Check =>
  checkOf('TCP_CHECK', connectionTo(port), {}, { ...change, timing: { delayLoop: millis(50), ...change.timing } })

test('no process before there is something to probe', async () => {
  const { fleet } = start({ count: 3 })
  expect(fleet.processes()).toEqual(
    [1, 2, 3].map((i) => ({ name: `prober ${i}`, pid: undefined, checks: 0, restarts: 0 })),
  )
  expect(await fleet.figures()).toEqual([])
})

test('checks are spread over the processes', () => {
  const { fleet } = start({ count: 4 })
  fleet.setChecks(Array.from({ length: 400 }, (_, i) => tcp(i + 1, { timing: { delayLoop: seconds(3600) } })))
  const shares = fleet.processes().map((process) => process.checks)
  expect(shares.reduce((sum, share) => sum + share)).toBe(400)
  expect(Math.min(...shares)).toBeGreaterThan(60)
  expect(fleet.processes().every((process) => process.pid !== undefined)).toBe(true)
})

test.for([
  ['killed', 'SIGKILL', seconds(10), 'ended by SIGKILL'],
  ['hung', 'SIGSTOP', seconds(2), 'did not answer any more'],
] as const)(
  'a prober that is %s is replaced, and its servers keep their state',
  { timeout: 20_000 },
  async ([, signal, patience, said]) => {
    const { fleet, events, logger } = start({ patience })
    const [up, down] = [tcp(await servers.tcp((socket) => socket.end())), tcp(await servers.closedPort())]
    fleet.setChecks([up, down])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(2)
    const pid = fleet.processes()[0]?.pid ?? 0
    process.kill(pid, signal)
    await expect.poll(() => fleet.processes()[0]?.restarts, { timeout: 10_000 }).toBe(1)
    const meanwhile = await fleet.figures()
    expect(meanwhile.map((figures) => [figures.id === up.id, figures.up])).toEqual(
      expect.arrayContaining([
        [true, true],
        [false, false],
      ]),
    )
    await expect
      .poll(async () => (await fleet.figures([up.id]))[0]?.probes ?? 0, { timeout: 10_000 })
      .toBeGreaterThan(2)
    expect(fleet.processes()[0]?.pid).not.toBe(pid)
    expect(events.reports).toHaveLength(2)
    expect(events.troubles).toEqual([`prober 1 ${said}; its 2 checks go on in a new one`])
    expect(logger.lines).toMatchObject([{ level: 'error', event: 'prober.died' }])
  },
)

test('one is started anew by hand: nothing is lost, nobody is alarmed', { timeout: 20_000 }, async () => {
  const { fleet, events, logger } = start({ count: 2 })
  const check = tcp(await servers.tcp((socket) => socket.end()))
  fleet.setChecks([check])
  await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
  const { name = '', pid } = fleet.processes().find(({ checks }) => checks > 0) ?? {}
  const now = (): ReturnType<typeof fleet.processes>[number] | undefined =>
    fleet.processes().find((each) => each.name === name)
  expect([fleet.restart('prober 9'), fleet.restart(name)]).toEqual([false, true])
  await expect.poll(() => now()?.restarts, { timeout: 10_000 }).toBe(1)
  await expect
    .poll(async () => (await fleet.figures([check.id]))[0]?.probes ?? 0, { timeout: 10_000 })
    .toBeGreaterThan(2)
  expect(now()?.pid).not.toBe(pid)
  expect([events.reports.length, events.troubles, logger.lines]).toEqual([1, [], []])
})

test('one that waits after its death starts at once by hand', { timeout: 20_000 }, async () => {
  const { fleet } = start({ patience: seconds(3600) })
  fleet.setChecks([tcp(await servers.closedPort())])
  for (const deaths of [1, 2, 3]) {
    await expect.poll(() => fleet.processes()[0]?.pid, { timeout: 10_000 }).toBeDefined()
    process.kill(fleet.processes()[0]?.pid ?? 0, 'SIGKILL')
    await expect.poll(() => fleet.processes()[0]?.restarts, { timeout: 10_000 }).toBe(deaths)
  }
  expect(fleet.processes()[0]?.pid).toBeUndefined()
  fleet.restart('prober 1')
  expect(fleet.processes()[0]?.pid).toBeDefined()
})

test('what turned while nobody looked is told by the new one', { timeout: 20_000 }, async () => {
  const { fleet, events } = start()
  const other = testServers()
  const check = tcp(await other.tcp((socket) => socket.end()))
  fleet.setChecks([check])
  await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
  process.kill(fleet.processes()[0]?.pid ?? 0, 'SIGKILL')
  await other.close()
  await expect.poll(() => events.reports.length, { timeout: 10_000 }).toBe(2)
  expect(events.reports[1]).toMatchObject({ up: false, first: false, turned: true })
})

test('a main that cannot live is tried again ever more slowly', { timeout: 20_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'prober-'))
  const broken = join(folder, 'broken.mjs')
  writeFileSync(broken, 'process.exit(3)')
  const { fleet, events } = start({ entry: broken })
  fleet.setChecks([tcp(1)])
  await expect.poll(() => events.troubles.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2)
  expect(events.troubles[0]).toContain('ended with exit code 3')
  await new Promise((resolve) => setTimeout(resolve, 800))
  expect(events.troubles.length).toBeLessThan(4)
  await fleet.stop()
  rmSync(folder, { recursive: true })
})

test('a process that the system does not even begin is tried again', { timeout: 20_000 }, async () => {
  const { fleet, events } = start({ entry: 'no\0name' })
  fleet.setChecks([tcp(1)])
  await expect.poll(() => events.troubles.length, { timeout: 5000 }).toBeGreaterThanOrEqual(2)
  expect(events.troubles[0]).toMatch(/^prober 1 cannot run: /)
})

test('a check that goes and comes again at once begins anew', { timeout: 20_000 }, async () => {
  const { fleet, events } = start()
  const check = tcp(await servers.closedPort())
  fleet.setChecks([check])
  await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
  // So many that the prober is told of them piece by piece.
  const others = Array.from({ length: 300 }, (_, i) => tcp(i + 1, { timing: { warmup: seconds(3600) } }))
  fleet.setChecks([check, ...others])
  fleet.setChecks(others)
  fleet.setChecks([check, ...others])
  await expect.poll(() => events.reports.filter(({ id }) => id === check.id).length, { timeout: 5000 }).toBe(2)
  expect(events.reports.at(-1)).toMatchObject({ id: check.id, up: false, first: true })
})

test('the prober ends with its parent’s channel', async () => {
  const { fleet, events } = start()
  fleet.setChecks([tcp(await servers.tcp((socket) => socket.end()))])
  await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
  const pid = fleet.processes()[0]?.pid ?? 0
  await fleet.stop()
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
})

const root = process.getuid?.() === 0

test.runIf(root && addonAvailable())(
  'as root it is nobody, without capabilities but those its checks need',
  async () => {
    const { fleet, events } = start()
    const port = await servers.tcp((socket) => socket.end())
    const status = (): Record<string, string> =>
      Object.fromEntries(
        readFileSync(`/proc/${fleet.processes()[0]?.pid ?? 0}/status`, 'utf8')
          .split('\n')
          .map((line) => line.split(/:\s+/) as [string, string]),
      )
    fleet.setChecks([tcp(port)])
    await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
    expect(status()).toMatchObject({ CapEff: '0000000000000000', CapPrm: '0000000000000000', NoNewPrivs: '1' })
    expect(status().Uid).toMatch(/^65534\t65534\t65534\t65534/)
    expect(status().Groups?.trim() ?? '').toBe('')

    const marked = checkOf('TCP_CHECK', { ...connectionTo(port), fwmark: 5 }, {}, { timing: { delayLoop: millis(50) } })
    fleet.setChecks([tcp(port), marked])
    await expect.poll(() => events.reports.length, { timeout: 10_000 }).toBe(2)
    expect(events.reports[1]).toMatchObject({ id: marked.id, up: true })
    expect(status().CapEff).toBe('0000000000001000')
  },
)

test.runIf(root && addonAvailable())(
  'a Node.js that will not change users by itself (Debian 13) is no obstacle',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'node-'))
    const refusing = join(folder, 'refusing.mjs')
    writeFileSync(refusing, "for (const call of ['setgroups', 'setgid', 'setuid']) process[call] = () => { throw new Error(call + '() disabled: io_uring may be enabled') }") // prettier-ignore
    const before = process.env['NODE_OPTIONS']
    process.env['NODE_OPTIONS'] = `--import=${refusing}`
    try {
      const { fleet, events } = start()
      fleet.setChecks([tcp(await servers.tcp((socket) => socket.end()))])
      await expect.poll(() => events.reports.length, { timeout: 10_000 }).toBe(1)
      const environment = readFileSync(`/proc/${fleet.processes()[0]?.pid ?? 0}/environ`, 'utf8').split('\0')
      expect(environment).toContain('UV_USE_IO_URING=0')
      expect(readFileSync(`/proc/${fleet.processes()[0]?.pid ?? 0}/status`, 'utf8')).toMatch(/^Uid:\t65534\t/m)
    } finally {
      if (before === undefined) delete process.env['NODE_OPTIONS']
      else process.env['NODE_OPTIONS'] = before
      rmSync(folder, { recursive: true })
    }
  },
)

test.runIf(root)('certificates that only root can read reach the prober', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ssl-'))
  chmodSync(folder, 0o700)
  const material = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(material.certificate, certificate().cert, { mode: 0o600 })
  writeFileSync(material.key, certificate().key, { mode: 0o600 })
  const { fleet, events } = start()
  const port = await servers.tls(answering('HTTP/1.0 200 OK\r\n\r\n'), { requestCert: true, rejectUnauthorized: false })
  const url = { path: '/', method: 'GET', headers: [], status: [{ from: 200, to: 299 }], tlsCompliant: false }
  const options = { urls: [url], protocol: '1.0', fastRecovery: false, tls: { material } }
  fleet.setChecks([checkOf('SSL_GET', connectionTo(port), options)])
  await expect.poll(() => events.reports.length, { timeout: 5000 }).toBe(1)
  expect(events.reports[0]).toMatchObject({ up: true })
  rmSync(folder, { recursive: true })
})

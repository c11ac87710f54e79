import type { Config } from '@ipvs-director/config'
import { seconds } from '@ipvs-director/core'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { destinationId, memoryIpvs, type Command, type Destination, type IpvsClient } from 'ipvs-netlink'
import { expect, test } from 'vitest'
import type { Director } from '../director-options.ts'
import { createDirector } from '../director.ts'
import { config, realServer, sorryServer, tcpChecker, virtualServer } from '../testing/config.ts'
import { fakeProber, type FakeProber } from '../testing/fake-prober.ts'
import { withoutEffect } from './without-effect.ts'

const key = { protocol: 'tcp', address: '192.0.2.1', port: 80 } as unknown as Parameters<IpvsClient['destinations']>[0]

/** The other program: what it writes is what the kernel has. */
interface World {
  readonly director: Director
  readonly kernel: IpvsClient
  readonly clock: ReturnType<typeof fakeClock>
  readonly log: ReturnType<typeof arrayLogger>
  readonly scripts: string[]
  readonly prober: () => FakeProber
  set(server: string, weight: number | undefined): Promise<void>
}

async function beside(file: Config): Promise<World> {
  const clock = fakeClock(1_000_000)
  const log = arrayLogger()
  const kernel = memoryIpvs()
  const refuse = (): Promise<never> => Promise.reject(new Error('written to the kernel'))
  const scripts: string[] = []
  let prober: FakeProber | undefined
  const first = createDirector({
    ...options(kernel),
    load: async () => ({ config: file, diagnostics: [], errors: 0, warnings: 0, leftOut: [] }),
  })
  await first.start()
  await first.stop({ keep: true })
  function options(ipvs: IpvsClient) {
    return withoutKeeping({
      file: 'test.conf',
      version: '0',
      load: async () => ({ config: file, diagnostics: [], errors: 0, warnings: 0, leftOut: [] }),
      ipvs,
      ipvsVersion: async () => 'memory',
      startProber: (events) => (prober = fakeProber(events)),
      runScript: async (script) => void scripts.push(script.words.join(' ')),
      logger: log,
      clock,
    })
  }
  const readOnly = { ...kernel, execute: refuse, setTimeouts: refuse, startDaemon: refuse, stopDaemon: refuse }
  const director = createDirector(withoutEffect(options(readOnly)))
  await director.start()
  return {
    director,
    kernel,
    clock,
    log,
    scripts,
    prober: () => prober!,
    async set(server, weight) {
      const entries = await kernel.destinations(key)
      const entry = entries.find(({ destination }) => destinationId(destination) === server)?.destination
      await kernel.execute([commandFor(server, weight, entry)])
    },
  }
}

type Options = Parameters<typeof createDirector>[0]
const withoutKeeping = (given: Omit<Options, 'owned' | 'overlay' | 'failover' | 'alarms'>): Options => ({
  ...withoutEffect(given as Options),
  compare: false,
  runScript: given.runScript,
})

function commandFor(server: string, weight: number | undefined, entry: Destination | undefined): Command {
  const [address = '', port] = server.split(':')
  if (weight === undefined)
    return { do: 'deleteDestination', service: key, destination: { address, port: Number(port) } as never }
  const base = entry ?? {
    address,
    port: Number(port),
    forwarding: 'droute' as const,
    upperThreshold: 0,
    lowerThreshold: 0,
    tunnel: undefined,
  }
  const destination = { ...base, weight } as Destination
  return { do: entry === undefined ? 'addDestination' : 'setDestination', service: key, destination }
}

const pace = { delayLoop: seconds(5), timeout: seconds(1) }
const file = config([
  virtualServer({
    sorryServer: sorryServer('10.0.0.9:80'),
    realServers: ['10.0.0.1:80', '10.0.0.2:80'].map((name) =>
      realServer(name, { weight: 3, checkers: [tcpChecker(name, pace)] }),
    ),
  }),
])
const told = (w: World): string[] => w.log.lines.filter(({ event }) => event.startsWith('compare.')).map(({ message }) => message) // prettier-ignore

test('what both see the same way is no difference, and nothing is written or run', async () => {
  const w = await beside(file)
  await w.clock.advance(seconds(60))
  const { comparing, kernel } = await w.director.status()
  expect(comparing).toMatchObject({ open: [], counted: 0, waiting: 0, brief: { count: 0 } })
  expect(comparing?.looks).toBeGreaterThan(30)
  expect(kernel.writes).toBe(0)
  w.prober().saw('10.0.0.1:80', false)
  w.prober().saw('10.0.0.2:80', false)
  await w.clock.advance(seconds(3))
  await w.director.reload()
  await w.director.stop({ keep: false })
  expect([...(await w.kernel.table()).values()][0]?.destinations.size).toBe(2)
  expect(w.scripts).toEqual([])
})

test('a difference counts when it is older than the checks may take, and is explained', async () => {
  const w = await beside(file)
  w.prober().saw('10.0.0.1:80', true)
  w.prober().saw('10.0.0.2:80', false)
  await w.clock.advance(seconds(7))
  expect((await w.director.status()).comparing).toMatchObject({ open: [], waiting: 1 })
  await w.clock.advance(seconds(5))
  const { comparing } = await w.director.status()
  expect(comparing?.open).toMatchObject([
    { service: '192.0.2.1:80/tcp', server: '10.0.0.2:80', kernel: 'weight 3', ours: 'no entry' },
  ])
  expect(comparing?.open[0]?.why).toMatch(/^TCP_CHECK 10\.0\.0\.2:80 fails for .*: refused$/)
  expect(told(w)[0]).toMatch(
    /^DIFFERENT for .*10\.0\.0\.2:80 of 192\.0\.2\.1:80\/tcp: the kernel has weight 3, we would/,
  )
  await w.set('10.0.0.2:80', undefined)
  await w.clock.advance(seconds(2))
  const after = await w.director.status()
  expect(after.comparing).toMatchObject({ open: [], counted: 1, ended: [{ server: '10.0.0.2:80' }] })
  expect(await w.director.drift()).toMatchObject({ comparing: true, found: [], recent: [{ repaired: false }] })
  expect(told(w).at(-1)).toMatch(/^Agreed again on 10\.0\.0\.2:80/)
})

test('one that is over before does not count, and its length is told in the summary', async () => {
  const w = await beside(file)
  w.prober().saw('10.0.0.2:80', false)
  await w.clock.advance(seconds(4))
  await w.set('10.0.0.2:80', undefined)
  await w.clock.advance(seconds(20))
  expect((await w.director.status()).comparing).toMatchObject({ counted: 0, brief: { count: 1, longest: 4000 } })
  await w.director.stop({ keep: true })
  expect(told(w)).toEqual([
    'Compared for 24 s, 24 looks at the kernel: 0 differences counted, 0 of them still there; ' +
      "1 was over before the checks' own delay, the longest after 4 s",
  ])
})

test.for([
  ['10.0.0.1:80', 7, 'weight 7', 'weight 3', /^(not every check|its checks pass).*configured weight 3$/],
  ['10.0.0.8:80', 1, 'weight 1', 'no entry', /no such real server/],
  ['10.0.0.9:80', 1, 'weight 1', 'no entry', /the sorry server; quorum is there: weight 6, lost below 1/],
] as const)('%s with weight %d', async ([server, weight, kernel, ours, why]) => {
  const w = await beside(file)
  await w.set(server, weight)
  await w.clock.advance(seconds(30))
  const { comparing } = await w.director.status()
  expect(comparing?.open).toMatchObject([{ server, kernel, ours }])
  expect(comparing?.open[0]?.why).toMatch(why)
  await w.director.stop({ keep: true })
})

test('a service that only one has, and one with other settings', async () => {
  const w = await beside(file)
  const { settings } = [...(await w.kernel.table()).values()][0]!
  const other = { ...key, port: 81 } as typeof key
  await w.kernel.execute([
    { do: 'addService', key: other, settings },
    { do: 'setService', key, settings: { ...settings, scheduler: 'rr' } },
  ])
  await w.clock.advance(seconds(30))
  expect((await w.director.status()).comparing?.open.map(({ kernel, ours }) => [kernel, ours])).toEqual([
    ['rr', 'wrr'],
    ['wrr, 0 destinations', 'no service'],
  ])
  await w.kernel.execute([{ do: 'flush' }])
  await w.clock.advance(seconds(30))
  expect((await w.director.status()).comparing?.open.map(({ kernel, ours }) => [kernel, ours])).toEqual([
    ['no service', 'wrr, 2 destinations'],
  ])
  await w.director.stop({ keep: true })
})

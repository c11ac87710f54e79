import type { Config } from '@ipvs-director/config'
import { arrayLogger, fakeClock } from '@ipvs-director/core/testing'
import { memoryIpvs, type Command, type IpvsClient } from 'ipvs-netlink'
import type { Director, DirectorOptions, Loaded } from '../director-options.ts'
import { createDirector } from '../director.ts'
import { noFailover, type Failover } from '../failover.ts'
import type { OverlayStore } from '../overlay-file.ts'
import { noAlarms } from './alarms.ts'
import { fakeProber, type FakeProber } from './fake-prober.ts'
import type { FakeSources } from './fake-sources.ts'
import { overlayInMemory } from './overlay.ts'

/** A director over a table in memory, its clock and prober in the test's hands. */
export interface World {
  readonly director: Director
  readonly ipvs: IpvsClient
  readonly prober: () => FakeProber
  readonly clock: ReturnType<typeof fakeClock>
  readonly log: ReturnType<typeof arrayLogger>
  readonly scripts: string[]
  /** Commands written so far. */
  readonly written: Command[]
  use(next: Config | Loaded): void
}

export function world(
  first: Config,
  options: {
    ipvs?: IpvsClient
    owned?: string[]
    overlay?: OverlayStore
    here?: Set<string>
    sources?: FakeSources
    readSnippet?: DirectorOptions['readSnippet']
    failover?: Partial<Failover>
    marks?: NonNullable<DirectorOptions['marks']>
    alarms?: Partial<ReturnType<DirectorOptions['alarms']>>
  } = {},
): World {
  const clock = fakeClock(1_000_000)
  const log = arrayLogger()
  const real = options.ipvs ?? memoryIpvs()
  const written: Command[] = []
  const ipvs: IpvsClient = {
    ...real,
    execute(commands) {
      written.push(...commands)
      return real.execute(commands)
    },
  }
  let loaded: Loaded = { config: first, diagnostics: [], errors: 0, warnings: 0, leftOut: [] }
  let prober: FakeProber | undefined
  const scripts: string[] = []
  const owned = options.owned ?? []
  const store = options.overlay ?? overlayInMemory()
  const director = createDirector({
    file: 'test.conf',
    version: '0',
    load: async () => loaded,
    ipvs,
    ipvsVersion: async () => 'memory',
    startProber: (events) => (prober = fakeProber(events)),
    runScript: async (script) => void scripts.push(script.words.join(' ')),
    owned: { load: () => [...owned], save: (ids) => void owned.splice(0, owned.length, ...ids) },
    overlay: store,
    failover: () => ({ ...noFailover, ...options.failover }),
    alarms: () => ({ ...noAlarms, ...options.alarms }),
    logger: log,
    clock,
    ownAddresses: () => options.here ?? new Set(),
    ...(options.marks === undefined ? {} : { marks: options.marks }),
    ...(options.sources === undefined ? {} : { sources: options.sources }),
    ...(options.readSnippet === undefined ? {} : { readSnippet: options.readSnippet }),
  })
  return {
    director,
    ipvs: real,
    clock,
    log,
    scripts,
    written,
    prober: () => {
      if (prober === undefined) throw new Error('nothing is probed yet')
      return prober
    },
    use(next) {
      loaded = 'globals' in next ? { config: next, diagnostics: [], errors: 0, warnings: 0, leftOut: [] } : next
    },
  }
}

import type { Prober, ProberEvents, Report } from '@ipvs-director/checkers'
import type { Config, Globals } from '@ipvs-director/config'
import type { ControlHandlers, Drift, DriftReport, ReloadResult, Status } from '@ipvs-director/control'
import { describeError, type Clock, type Logger, type Timer } from '@ipvs-director/core'
import { serviceId, type IpvsClient, type Service, type Table, type Timeouts } from 'ipvs-netlink'
import { adoptedHealth } from './adopt.ts'
import { carriedHealth } from './carry-over.ts'
import { planChecks, type CheckPlan } from './checks.ts'
import { describeChanges } from './commands.ts'
import { desiredService, desiredTable, serviceKeys } from './desired.ts'
import { createEventLog } from './events.ts'
import { createKernelReader } from './kernel-view.ts'
import { createNotifier, type RunScript } from './notify.ts'
import { createPool, type Pool } from './pool.ts'
import { createReconciler, type OwnedServices } from './reconcile.ts'
import { buildStatus, foreignOf, type ProberProcesses } from './status.ts'
import { shortened } from './shortened.ts'
import { tell, tellBegin, tellGone, type Tellers } from './transitions.ts'

/** What reading the configuration gives: the config unless nothing can run, and what is to be said about it. */
export interface Loaded {
  readonly config: Config | undefined
  /** Rendered, errors first. */
  readonly diagnostics: readonly string[]
  readonly errors: number
}

export interface DirectorOptions {
  readonly file: string
  readonly version: string
  readonly load: () => Promise<Loaded>
  readonly ipvs: IpvsClient
  /** `memory` for the table in memory. */
  readonly ipvsVersion: () => Promise<string>
  /** `globals` answers the configuration's as they are at that moment. */
  readonly startProber: (events: ProberEvents, globals: () => Globals) => Prober & ProberProcesses
  readonly runScript: RunScript
  readonly owned: OwnedServices
  readonly logger: Logger
  readonly clock: Clock
}

export interface StopOptions {
  /** Leave the kernel's table as it is. */
  readonly keep: boolean
}

/** The director's life: start once, then reload and audit at will, stop once. */
export interface Director {
  /** Resolves when the kernel's table is as the file wants it; undefined when there is no configuration to run. */
  start(): Promise<Loaded>
  reload(): Promise<ReloadResult>
  audit(): Promise<DriftReport>
  /** What the last audits found, without making one. */
  drift(): Promise<DriftReport>
  status(): Promise<Status>
  stop(options: StopOptions): Promise<void>
  readonly subscribe: ControlHandlers['subscribe']
}

/** Drifts remembered for `ipvs-ctl drift`. */
const rememberedDrifts = 100

export function createDirector(options: DirectorOptions): Director {
  const { ipvs, logger, clock } = options
  const events = createEventLog(() => clock.wall())
  const reconciler = createReconciler({ ipvs, logger, owned: options.owned, wall: () => clock.wall() })
  const kernelReader = createKernelReader(ipvs)
  const startedAt = clock.wall()
  let config: Config | undefined
  let pools: Pool[] = []
  let poolsByService = new Map<string, Pool[]>()
  let plan: CheckPlan = { checks: [], subscribers: new Map() }
  let prober: (Prober & ProberProcesses) | undefined
  let auditTimer: Timer | undefined
  let timeoutsBefore: Timeouts | undefined
  let recentDrifts: Drift[] = []
  let lastAudit: DriftReport | undefined
  let loadedAt = startedAt
  let reloads = 0
  let refused: { at: number; diagnostics: readonly string[] } | undefined
  let reloading: Promise<ReloadResult> | undefined
  let stopping = false

  const currentGlobals = (): Globals => {
    if (config === undefined) throw new Error('no configuration')
    return config.globals
  }
  const notifier = createNotifier(options.runScript, currentGlobals, logger)
  const tellers: Tellers = { logger, events, notifier }

  function usePools(next: Pool[]): void {
    pools = next
    poolsByService = new Map()
    for (const pool of next) {
      for (const key of serviceKeys(pool.config)) {
        const id = serviceId(key)
        const sharing = poolsByService.get(id)
        if (sharing === undefined) poolsByService.set(id, [pool])
        else sharing.push(pool)
      }
    }
  }

  /** Writes what a pool wants now, together with the pools that share its services. */
  function want(pool: Pool): void {
    const changes: [string, Service][] = []
    for (const key of serviceKeys(pool.config)) {
      const id = serviceId(key)
      const sharing = poolsByService.get(id) ?? [pool]
      if (sharing.length === 1) changes.push([id, desiredService(pool, key)])
      else changes.push(...[...desiredTable(sharing)].filter(([shared]) => shared === id))
    }
    reconciler.want(changes)
  }

  const changedPools = new Set<Pool>()
  /** Many verdicts in one turn of the loop make one table: a pool of ten thousand that fails at once is written once. */
  function wantSoon(pool: Pool): void {
    if (changedPools.size === 0) {
      setImmediate(() => {
        const changed = [...changedPools]
        changedPools.clear()
        if (stopping) return
        const current = new Set(pools)
        for (const each of changed) if (current.has(each)) want(each)
      })
    }
    changedPools.add(pool)
  }

  const proberEvents: ProberEvents = {
    report(report: Report) {
      for (const { pool, server, checker } of plan.subscribers.get(report.id) ?? []) {
        const { up, first, verdict, at } = report
        const effects = pool.verdict(server, { checker, up, first, verdict, at })
        for (const effect of effects) tell(pool, effect, tellers)
        if (effects.length > 0) wantSoon(pool)
      }
    },
    trouble(message) {
      logger.error('prober.trouble', message)
      events.add('prober.trouble', message)
    },
  }

  function scheduleAudit(): void {
    auditTimer?.cancel()
    if (config === undefined) return
    auditTimer = clock.after(config.globals.reconcileInterval, () => {
      void audit()
        .catch((error: unknown) => {
          logger.error('audit.failed', `cannot read the IPVS table: ${describeError(error)}`)
        })
        .finally(() => {
          if (!stopping) scheduleAudit()
        })
    })
  }

  async function audit(): Promise<DriftReport> {
    const { at, drifts, repaired } = await reconciler.audit()
    const found: Drift[] = drifts.map((what) => ({ at, what, repaired }))
    for (const drift of found) {
      const message = `drift: ${drift.what}${repaired ? ', repaired' : ', NOT repaired'}`
      logger.warn('drift', message)
      events.add('drift', message)
    }
    const recent = recentDrifts
    recentDrifts = [...[...found].reverse(), ...recentDrifts].slice(0, rememberedDrifts)
    lastAudit = { at, found, recent, foreign: reconciler.foreign.map(foreignOf) }
    return lastAudit
  }

  /** The table is made right before anything else is done or said: that is what clients wait for. */
  async function start(): Promise<Loaded> {
    const loaded = await options.load()
    if (loaded.config === undefined) return loaded
    config = loaded.config
    const { globals } = config
    if (globals.lvsFlush) await ipvs.execute([{ do: 'flush' }])
    const found = await readBeforeStart(config)
    const now = clock.wall()
    const fresh = new Set<Pool>()
    usePools(
      config.virtualServers.map((virtual) => {
        const health = adoptedHealth(virtual, found)
        const pool = createPool(virtual, { ...(health === undefined ? {} : { health }), since: now })
        if (health === undefined) fresh.add(pool)
        return pool
      }),
    )
    const effects = pools.flatMap((pool) => pool.begin(now).map((effect) => ({ pool, effect })))
    reconciler.want(desiredTable(pools))
    reconciler.adopt(found)
    await reconciler.settled()
    await setTimeouts(globals.lvsTimeouts)
    tellBegin(effects, tellers)
    if (globals.rsInitNotifies) tellPresent()
    plan = planChecks(pools, ({ pool }) => fresh.has(pool))
    prober = options.startProber(proberEvents, currentGlobals)
    prober.setChecks(plan.checks)
    scheduleAudit()
    events.add('start', `started with ${pools.length} virtual servers from ${options.file}`)
    return loaded
  }

  /** What the kernel has. A file without virtual servers never touches IPVS, unless an earlier run left something. */
  async function readBeforeStart({ virtualServers }: Config): Promise<Table> {
    if (virtualServers.length === 0 && options.owned.load().length === 0) return new Map()
    if ((await ipvs.services()).length === 0) return new Map()
    return ipvs.audit(desiredTable(virtualServers.map((virtual) => createPool(virtual, { since: 0 }))))
  }

  /** `rs_init_notifies`: servers put in at the start are told to be up. */
  function tellPresent(): void {
    for (const pool of pools) {
      for (const server of pool.servers.values()) {
        if (server.health.failed === 0) notifier.run(server.config.notifyUp, `notify_up of ${server.name}`)
      }
    }
  }

  async function setTimeouts(wanted: Timeouts | undefined): Promise<void> {
    try {
      if (wanted !== undefined) {
        timeoutsBefore ??= await ipvs.timeouts()
        await ipvs.setTimeouts(wanted)
      } else if (timeoutsBefore !== undefined) {
        await ipvs.setTimeouts(timeoutsBefore)
        timeoutsBefore = undefined
      }
    } catch (error) {
      logger.error('timeouts.failed', `lvs_timeouts: ${describeError(error)}`)
    }
  }

  async function doReload(): Promise<ReloadResult> {
    const writesBefore = reconciler.figures.writes
    const loaded = await options.load()
    if (loaded.config === undefined || loaded.errors > 0) {
      refused = { at: clock.wall(), diagnostics: shortened(loaded.diagnostics) }
      const message = `reload of ${options.file} refused, the old configuration stays: ${loaded.diagnostics[0] ?? 'nothing to run'}`
      logger.error('reload.refused', message)
      events.add('reload.refused', message)
      return { ok: false, diagnostics: loaded.diagnostics, changes: [], writes: 0 }
    }
    refused = undefined
    const before = new Map(pools.map((pool) => [pool.config.name, pool]))
    const now = clock.wall()
    const next = loaded.config.virtualServers.map((virtual) => continuePool(virtual, before.get(virtual.name), now))
    const wanted = desiredTable(next)
    const changes = describeChanges(reconciler.desired, wanted)
    tellRemoved(before, next)
    config = loaded.config
    usePools(next)
    await setTimeouts(config.globals.lvsTimeouts)
    const effects = next.flatMap((pool) => pool.begin(now).map((effect) => ({ pool, effect })))
    const gone = [...reconciler.desired.keys()].filter((id) => !wanted.has(id))
    reconciler.want([...wanted, ...gone.map((id) => [id, undefined] as const)])
    await reconciler.settled()
    tellBegin(effects, tellers)
    plan = planChecks(next, () => false)
    prober?.setChecks(plan.checks)
    scheduleAudit()
    reloads++
    loadedAt = now
    const writes = reconciler.figures.writes - writesBefore
    const message = `Reload complete: ${changes.length} changes, ${writes} writes`
    logger.info('reload', message, { changes: changes.length, writes })
    events.add('reload', message, { changes: changes.length, writes })
    return { ok: true, diagnostics: loaded.diagnostics, changes, writes }
  }

  function continuePool(virtual: Config['virtualServers'][number], before: Pool | undefined, now: number): Pool {
    if (before === undefined) return createPool(virtual, { since: now })
    return createPool(virtual, { health: carriedHealth(virtual, before), quorum: before.quorum, since: before.since })
  }

  function tellRemoved(before: ReadonlyMap<string, Pool>, next: readonly Pool[]): void {
    const kept = new Map(next.map((pool) => [pool.config.name, pool]))
    for (const [name, pool] of before) {
      const successor = kept.get(name)
      if (successor === undefined) {
        tellGone(pool, 'Removing', tellers)
        continue
      }
      for (const server of pool.servers.values()) {
        if (successor.servers.has(server.name) || server.health.failed > 0) continue
        events.add('server.gone', `Removing ${server.name} of VS ${name}`, { service: name, server: server.name })
        notifier.run(server.config.notifyDown, `notify_down of ${server.name} in ${name}`)
      }
    }
  }

  return {
    start,
    audit,
    drift: async () =>
      lastAudit ?? { at: startedAt, found: [], recent: [], foreign: reconciler.foreign.map(foreignOf) },
    subscribe: (after, listener) => events.subscribe(after, listener),
    /** A request during a reload waits for it and then makes its own: the file may have changed meanwhile. */
    reload() {
      const previous = reloading ?? Promise.resolve()
      const mine = previous.then(doReload, doReload).finally(() => {
        if (reloading === mine) reloading = undefined
      })
      reloading = mine
      return mine
    },
    status: () =>
      buildStatus({
        version: options.version,
        startedAt,
        now: clock.wall(),
        config: { file: options.file, loadedAt, reloads, refused },
        pools,
        reconciler,
        readKernel: () => kernelReader.read(pools, clock.wall()),
        ipvsVersion: options.ipvsVersion,
        prober,
      }),
    async stop({ keep }) {
      stopping = true
      auditTimer?.cancel()
      await prober?.stop()
      if (!keep && config !== undefined) {
        const { lvsFlushOnStop } = config.globals
        await reconciler.removeOwn(lvsFlushOnStop === 'all')
        await setTimeouts(undefined)
        for (const pool of pools) if (pool.config.omega) tellGone(pool, 'Shutting down', tellers)
      }
      await notifier.drain(1000)
    },
  }
}

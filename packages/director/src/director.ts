import type { ProberEvents, Report } from '@ipvs-director/checkers'
import { withDataPathMarks, withGroupMarks, type Config, type RealServer } from '@ipvs-director/config'
import type { Plan, ReloadResult } from '@ipvs-director/control'
import { count, formatEndpoint, inSlices, seconds, stepwise } from '@ipvs-director/core'
import { notificationsOf, stateLines } from '@ipvs-director/vrrp'
import type { Table } from 'ipvs-netlink'
import { adoptedHealth } from './adopt.ts'
import { createAudits } from './audits.ts'
import { createComparison } from './compare/comparison.ts'
import { lookingOnly } from './compare/beside.ts'
import { CheckTable } from './checks.ts'
import type { Director, DirectorOptions, Loaded, Probing } from './director-options.ts'
import { dataPathServices, dataPathStatus, wantedTable } from './data-paths.ts'
import { createDrains } from './drains.ts'
import { createEventLog } from './events.ts'
import { createKernelReader } from './kernel-view.ts'
import { createKernelTimeouts } from './kernel-timeouts.ts'
import { nextGeneration } from './generation.ts'
import { handOver, type HandedOver, type Removed, type Surroundings } from './hand-over.ts'
import { isDrainedOnRemoval, leavingAfter, type LeavingServer } from './leaving.ts'
import { createNotifier } from './notify.ts'
import { createOffers } from './offers.ts'
import { idsOf, withServices } from './overlay-services.ts'
import { overlaid, steersFor, type AddedService, type Overlay } from './overlay.ts'
import { describeOverlay } from './overlay-text.ts'
import { createPool, isDrained, type Pool, type PoolEffect } from './pool.ts'
import { createPoolTable } from './pool-table.ts'
import { createProbed } from './probed.ts'
import { createReconciler } from './reconcile.ts'
import { reloadable } from './reloadable.ts'
import { noRemarks, remarksOf, shortened } from './remarks.ts'
import { readSnippet } from './snippet.ts'
import { noMarks } from './group-marks.ts'
import { noLastGood } from './sources/last-good.ts'
import { openSource } from './sources/open.ts'
import { createSources } from './sources/sources.ts'
import { buildStatus } from './status.ts'
import { unsteered } from './steer.ts'
import { createSteering, type Steering } from './steering-driver.ts'
import { createSlowStarts } from './slow-starts.ts'
import { createSuspension } from './suspension.ts'
import { createSyncDaemons } from './sync-daemons.ts'
import { tell, tellBegin, tellEnd, tellGone, type EffectOfPool, type Tellers } from './transitions.ts'
import { createSyncHeard } from './sync-heard.ts'
import { createTrial, type Before } from './trial.ts'
import { createTurns } from './turns.ts'
import { describeVrrpChanges } from './vrrp-changes.ts'

/** Milliseconds that mail and webhooks have at the end. */
const farewell = 3000

/** How long the end waits for a change that is under way: a file may be on a disk that does not answer. */
const lastTurn = seconds(3)

/** Milliseconds for which the start waits for sources of which no answer is known. */
const firstAnswers = 3000

/** What has come of a change of configurations. */
interface Used extends Pick<HandedOver, 'changes' | 'removed'> {
  readonly writes: number
}

export function createDirector(options: DirectorOptions): Director {
  const { logger, clock } = options
  const events = createEventLog(() => clock.wall())
  const dry = options.compare ?? false
  const ipvs = dry ? lookingOnly(options.ipvs) : options.ipvs
  const reconciler = createReconciler({
    ipvs,
    logger,
    owned: options.owned,
    wall: () => clock.wall(),
    dry,
    refusal: (service, words) => {
      offers.heard(service, words)
    },
  })
  const kernelReader = createKernelReader(ipvs, clock)
  const timeouts = createKernelTimeouts(ipvs, logger)
  const table = createPoolTable(reconciler)
  const startedAt = clock.wall()
  /** As the file says, without what was asked for at run time. */
  let fileConfig: Config | undefined
  let config: Config | undefined
  const checks = new CheckTable()
  let prober: Probing | undefined
  let loadedAt = startedAt
  let reloads = 0
  let remarks = noRemarks
  let refused: { at: number; diagnostics: readonly string[] } | undefined

  const currentConfig = (): Config => {
    if (config === undefined) throw new Error('no configuration')
    return config
  }
  /** Made here: what is made in a function that takes long keeps all that it knew, for as long as it is kept itself. */
  const globalsNow = () => currentConfig().globals
  const alarms = options.alarms(globalsNow)
  const notifying = { run: options.runScript, globals: globalsNow, clock, logger, events }
  const notifier = createNotifier(notifying)
  const tellers: Tellers = {
    logger,
    events,
    notifier,
    alarm: (alarm) => {
      alarms.tell(alarm)
    },
  }
  const offers = createOffers({
    sharing: (service) => table.sharing(service),
    logger,
    events,
    changed: (pool) => {
      followPool(pool)
    },
    tell: (pool, effect) => {
      tell(pool, effect, tellers)
    },
  })
  const unlisten = events.subscribe(0, (event) => {
    alarms.tell({ kind: 'event', event })
  })
  const readKernel = () => kernelReader.read(table.pools)
  const comparison = dry
    ? createComparison({ ipvs, desired: reconciler.desired, pools: () => table.pools, clock, logger, events })
    : undefined
  const audits =
    comparison ?? createAudits({ reconciler, clock, logger, events, interval: () => config?.globals.reconcileInterval })
  const vrrpNotifier = createNotifier(notifying)
  const failover = options.failover(events, (event) => {
    if (event.type === 'instance') syncDaemons.follow()
    const notifications = notificationsOf(event, currentConfig().vrrp)
    for (const each of notifications) {
      if (each.do !== 'script') continue
      const { script, arguments: more } = each
      vrrpNotifier.run({ ...script, words: [...script.words, ...more] }, `notify of ${event.name}`)
    }
    alarms.tell({ kind: 'vrrp', event, notifications })
  })
  const marks = options.marks?.(events) ?? noMarks
  const syncDaemons = createSyncDaemons({ ipvs, logger, clock, isMaster: (name) => failover.isMaster(name) })
  const syncHeard = createSyncHeard(clock, () => {
    failover.syncHeard()
  })
  const trial = createTrial(clock, (goBack) => {
    aside('rollback.failed', 'cannot roll back', () => rollBack(goBack()))
  })
  const drains = createDrains({
    clock,
    logger,
    readKernel,
    pools: () => table.pools,
    drained(pool, { name, steer }, left) {
      if (steer.admin?.kind !== 'draining') return
      const { host } = steer.admin
      const now = clock.wall()
      const next = { ...steer, admin: { kind: 'drained', since: now, host } as const }
      const service = pool.config.name
      const isHim = (each: LeavingServer): boolean => each.service === service && formatEndpoint(each.real) === name
      if (steering.overlay.leaving.some(isHim)) {
        steering.leave(steering.overlay.leaving.filter((each) => !isHim(each)))
        aside('drain.failed', `cannot remove ${name} of VS ${service}`, useAgain)
      } else steering.replace(service, name, next)
      take(pool, pool.steer(name, next, now))
      const cut =
        left === 0
          ? 'no connection is left'
          : `time is over, ${count(left, 'connection')} ${left === 1 ? 'is' : 'are'} cut`
      const message = `Drained ${name} of VS ${pool.config.name}: ${cut}`
      logger.info('server.drained', message)
      events.add('server.drained', message, { service: pool.config.name, server: name, left })
      if (isLeft(pool)) removeDrained(service)
    },
  })
  const slowStarts = createSlowStarts(
    clock,
    (service) => table.named(service),
    (pool) => {
      table.wantSoon(pool)
    },
  )
  const suspension = createSuspension({
    clock,
    ...(options.ownAddresses === undefined ? {} : { addresses: options.ownAddresses }),
    changed(service, suspended) {
      const message = `${suspended ? 'Suspending' : 'Activating'} checks of VS ${service}: its VIP is ${suspended ? 'not ' : ''}here`
      logger.info('service.suspended', message)
      events.add('service.suspended', message, { service, suspended })
    },
    settled() {
      probed.setAll()
    },
  })
  const probed = createProbed({
    checks,
    prober: () => prober,
    isSuspended: (service) => suspension.isSuspended(service),
    dry,
    settled() {
      failover.checkersSettled()
    },
  })
  const stored = options.overlay.load()
  if (stored.problem !== undefined) logger.error('overlay.damaged', stored.problem)
  const steering: Steering = createSteering(
    {
      store: options.overlay,
      config: currentConfig,
      pools: () => table.pools,
      wall: () => clock.wall(),
      read: options.readSnippet ?? readSnippet,
      told: (change) => {
        say('info', 'steer', `By hand: ${change}`)
      },
      apply: applyOverlay,
      unsaved: (problem) => {
        say('error', 'overlay.not-saved', problem)
      },
    },
    stored.overlay,
  )

  let followAsked = false
  const sources = createSources({
    clock,
    say,
    ...(options.sources ?? { store: noLastGood, open: (settings) => openSource(settings, clock) }),
    changed() {
      if (followAsked || fileConfig === undefined || config === undefined) return
      followAsked = true
      aside('source.not-followed', 'cannot follow a source', async () => {
        followAsked = false
        await useAgain()
      })
    },
  })
  /** The marks of `nftables_ipvs`, once given. */
  const groupMarks = new Map<string, number>()
  /** What a file means now: with what sources and operators say. */
  const asOf = (file: Config, overlay: Overlay): Config => {
    const now = withGroupMarks(overlaid(sources.resolved(withServices(file, overlay)), overlay), groupMarks)
    // Beside another program nothing is written, so there are no services for data paths.
    return dry ? now : withDataPathMarks(now)
  }

  const turns = createTurns(clock, say)
  const { serially, aside, mustGoOn } = turns
  const reloadSoon = turns.shared(() => reload())

  /** On its way out, and there is nothing to wait for any more. */
  const isLeft = (pool: Pool): boolean => steering.overlay.leavingServices.has(pool.config.name) && isDrained(pool)

  /** All real servers of a virtual server on its way out are drained. */
  function removeDrained(service: string): void {
    aside('drain.failed', `cannot remove VS ${service}`, async () => {
      if (!steering.overlay.leavingServices.has(service)) return
      steering.leftService(service)
      say('info', 'service.drained', `Drained VS ${service}: it is removed`, { service })
      await useAgain()
    })
  }

  /** What is drained already, or lost the last one that was waited for, is told by no drain's end. */
  function lookAtDrains(): void {
    drains.look()
    if (steering.overlay.leavingServices.size === 0) return
    for (const pool of table.pools) if (isLeft(pool)) removeDrained(pool.config.name)
  }

  /** The same file, when something that it is laid over or filled from has changed. */
  async function useAgain(): Promise<void> {
    if (fileConfig !== undefined) await use(fileConfig)
  }

  /** What the beginning of pools comes to is told, and VRRP hears of them. */
  async function tellBegun(effects: readonly EffectOfPool[], come: readonly Pool[]): Promise<void> {
    const told: EffectOfPool[] = []
    await inSlices(effects, (each) => {
      if (offers.tellable(each.pool, each.effect)) told.push(each)
    })
    await tellBegin(told, tellers)
    await inSlices(come, followPool)
  }

  /** VRRP hears of a virtual server what its clients see. */
  function followPool(pool: Pool): void {
    failover.virtualServer(pool.config.name, pool.quorum.up && offers.refusal(pool) === undefined)
  }

  /** What happened to a pool is told, and written soon. */
  function take(pool: Pool, effects: readonly PoolEffect[]): void {
    for (const effect of effects) {
      if (offers.tellable(pool, effect)) tell(pool, effect, tellers)
      if (effect.kind === 'server' && effect.turned) slowStarts.turned(pool, effect.server, effect.up)
      if (effect.kind === 'quorum') followPool(pool)
    }
    const servers = effects.flatMap((effect) => ('server' in effect ? [effect.server] : []))
    table.wantSoon(pool, servers.length > 0 && servers.length === effects.length ? servers : undefined)
  }

  const proberEvents: ProberEvents = {
    report(report: Report) {
      checks.heard(report)
      for (const name of probed.heard(report.id)) failover.bfd(name, report.up)
      for (const { pool, server, checker } of checks.subscribers(report.id)) {
        const { up, first, verdict, at } = report
        const effects = pool.verdict(server, { checker, up, first, verdict, at })
        if (effects.length > 0) take(pool, effects)
      }
    },
    trouble(message) {
      logger.error('prober.trouble', message)
      events.add('prober.trouble', message)
    },
  }

  /** The table is made right before anything else is done or said: that is what clients wait for. */
  async function start(): Promise<Loaded> {
    const loaded = await options.load()
    if (loaded.config === undefined) return loaded
    fileConfig = loaded.config
    remarks = remarksOf(loaded)
    for (const problem of await steering.restore()) {
      say('error', 'overlay.unreadable', `a virtual server that was added by hand is left out: ${problem}`)
    }
    supersede(fileConfig)
    const { overlay } = steering
    sources.use(withServices(fileConfig, overlay))
    await sources.settled(firstAnswers)
    config = asOf(fileConfig, overlay)
    const { globals } = config
    if (globals.lvsFlush) await ipvs.execute([{ do: 'flush' }])
    const found = await readBeforeStart(config)
    const now = clock.wall()
    const fresh = new Set<Pool>()
    const pools = config.virtualServers.map((virtual) => {
      const health = adoptedHealth(virtual, found)
      const known = health === undefined ? {} : { health: (_: RealServer, name: string) => health.get(name) }
      const pool = createPool(virtual, { ...known, steers: steersFor(overlay, virtual), since: now })
      if (health === undefined) fresh.add(pool)
      return pool
    })
    table.use(pools)
    for (const pool of pools) {
      table.hold(pool, idsOf(pool.config))
      table.release(pool)
    }
    const effects = table.pools.flatMap((pool) => pool.begin(now).map((effect) => ({ pool, effect })))
    reconciler.want(wantedTable(table.pools, config))
    reconciler.adopt(found)
    await reconciler.settled()
    alarms.apply(config)
    await timeouts.set(globals.lvsTimeouts)
    await tellBegun(effects, table.pools)
    if (globals.rsInitNotifies) tellPresent()
    for (const pool of pools) {
      await inSlices(pool.servers.values(), (server) => {
        checks.ask(pool, server, fresh.has(pool))
      })
    }
    await stepwise(checks.settle())
    prober = await options.startProber(proberEvents, globalsNow)
    suspension.use(config.virtualServers)
    probed.follow(config)
    probed.setAll()
    followConfig(config)
    events.add('start', `started with ${count(table.pools.length, 'virtual server')} from ${options.file}`)
    return loaded
  }

  /** What stands around the services goes by the configuration, too. */
  function followConfig(now: Config): void {
    options.used?.(now)
    void marks.use(now)
    failover.use(now)
    void syncDaemons.use(now.syncDaemon)
    syncHeard.use(now)
    audits.schedule()
    lookAtDrains()
  }

  /** What the kernel has. A file without virtual servers never touches IPVS, unless an earlier run left something. */
  async function readBeforeStart(wanted: Config): Promise<Table> {
    const { virtualServers } = wanted
    if (virtualServers.length === 0 && options.owned.load().length === 0) return new Map()
    if ((await ipvs.services()).length === 0) return new Map()
    const pools = virtualServers.map((virtual) => createPool(virtual, { since: 0 }))
    return ipvs.audit(wantedTable(pools, wanted))
  }

  /** `rs_init_notifies`: servers put in at the start are told to be up. */
  function tellPresent(): void {
    for (const pool of table.pools) {
      for (const server of pool.servers.values()) {
        if (server.health.failed === 0) notifier.run(server.config.notifyUp, `notify_up of ${server.name}`)
      }
    }
  }

  function leavingFrom(nextFile: Config, now: number): readonly LeavingServer[] {
    const { overlay } = steering
    if (overlay.leaving.length === 0 && !nextFile.virtualServers.some(isDrainedOnRemoval)) return []
    return leavingAfter(table.pools, asOf(nextFile, { ...overlay, leaving: [] }), overlay.leaving, now)
  }

  /** What the file brings by itself now needs not be added by hand any more. Answers what is forgotten. */
  function supersede(file: Config): readonly AddedService[] {
    const gone = steering.supersede(file)
    for (const { name } of gone) {
      say('warn', 'overlay.superseded', `VS ${name} was added by hand and is in the file now: the file counts`, {
        service: name,
      })
    }
    return gone
  }

  /** What a change of configurations goes by. */
  const surroundings = (
    next: Config,
    { now, overlay, known }: Pick<Surroundings, 'now' | 'overlay' | 'known'>,
  ): Surroundings => ({
    now,
    known,
    overlay,
    checks,
    desired: reconciler.desired,
    dataPaths: { before: dataPathServices(currentConfig()), after: dataPathServices(next) },
  })

  /** Makes a configuration run instead of the one that does: by content, so that what is equal stays as it is. */
  async function use(nextFile: Config, known: Removed = new Map()): Promise<Used> {
    const writesBefore = reconciler.figures.writes
    const now = clock.wall()
    sources.use(withServices(nextFile, steering.overlay))
    steering.leave(leavingFrom(nextFile, now))
    const { overlay } = steering
    const nextConfig = asOf(nextFile, overlay)
    const next = await nextGeneration(nextConfig, table, overlay, { now, apart: false })
    mustGoOn()
    const by = surroundings(nextConfig, { now, known, overlay: () => steering.overlay })
    const vrrpChanges = describeVrrpChanges(config?.vrrp, nextConfig.vrrp)
    fileConfig = nextFile
    config = nextConfig
    const { changes, effects, removed } = await handOver(next, by, { table, reconciler, tellers })
    const asked = await stepwise(checks.settle())
    const suspended = suspension.use(config.virtualServers)
    probed.follow(config)
    if (suspended) probed.setAll()
    else await probed.change(asked)
    alarms.apply(config)
    await timeouts.set(config.globals.lvsTimeouts)
    await reconciler.settled()
    const come = next.changes.map(({ pool }) => pool)
    await tellBegun(effects, come)
    followConfig(config)
    return { changes: [...changes, ...vrrpChanges], writes: reconciler.figures.writes - writesBefore, removed }
  }

  /** `fifo_write_vrrp_states_on_reload`: whoever reads the pipes hears all states again. */
  async function repeatVrrpStates(): Promise<void> {
    const status = await failover.status()
    if (status === undefined || status === 'silent') return
    alarms.tell({ kind: 'vrrp-states', lines: stateLines(status) })
  }

  async function reload({ confirmWithin }: { confirmWithin?: number | undefined } = {}): Promise<ReloadResult> {
    const loaded = reloadable(fileConfig, await options.load())
    if (loaded.config === undefined || loaded.errors > 0) {
      refused = { at: clock.wall(), diagnostics: shortened(loaded.diagnostics) }
      const why = loaded.diagnostics[0] ?? 'nothing to run'
      say('error', 'reload.refused', `reload of ${options.file} refused, the old configuration stays: ${why}`)
      return { ok: false, diagnostics: loaded.diagnostics, changes: [], writes: 0 }
    }
    refused = undefined
    const before =
      fileConfig === undefined ? undefined : { file: fileConfig, remarks, services: supersede(loaded.config) }
    const { changes, writes, removed } = await use(loaded.config)
    remarks = remarksOf(loaded)
    reloads++
    loadedAt = clock.wall()
    if (loaded.config.vrrp.globals.fifoStatesOnReload) void repeatVrrpStates()
    trial.begin(before && { ...before, removed }, confirmWithin)
    say('info', 'reload', `Reload complete: ${count(changes.length, 'change')}, ${count(writes, 'write')}`, {
      changes: changes.length,
      writes,
    })
    return { ok: true, confirmWithin, diagnostics: loaded.diagnostics, changes, writes }
  }

  async function rollBack(before: Before | undefined): Promise<void> {
    if (before === undefined) return
    steering.takeBack(before.services)
    const { changes } = await use(before.file, before.removed)
    ;({ remarks } = before)
    loadedAt = clock.wall()
    say('warn', 'reload.rolled-back', `Reload was not confirmed: rolled back, ${count(changes.length, 'change')}`)
  }

  /** What was asked of servers at run time: by the pools themselves, unless servers come or go. */
  async function applyOverlay(overlay: Overlay, restructured: boolean): Promise<void> {
    if (fileConfig === undefined) return
    if (restructured) {
      await use(fileConfig)
      return
    }
    const now = clock.wall()
    for (const pool of table.pools) {
      const steers = steersFor(overlay, pool.config)
      for (const server of pool.servers.values()) {
        const steer = steers.get(server.name) ?? unsteered
        if (steer !== server.steer) take(pool, pool.steer(server.name, steer, now))
      }
    }
    await new Promise((resolve) => setImmediate(resolve))
    await reconciler.settled()
    lookAtDrains()
  }

  async function planOf(file: string | undefined): Promise<Plan> {
    const loaded = reloadable(fileConfig, await options.load(file))
    const { diagnostics } = loaded
    const name = file ?? options.file
    if (loaded.config === undefined || loaded.errors > 0)
      return { ok: false, file: name, diagnostics, changes: [], byHand: [] }
    const overlay = { ...steering.overlay, leaving: leavingFrom(loaded.config, clock.wall()) }
    const nextConfig = asOf(loaded.config, overlay)
    const now = clock.wall()
    const next = await nextGeneration(nextConfig, table, overlay, { now, apart: true })
    const { changes } = await handOver(
      next,
      surroundings(nextConfig, { now, known: new Map(), overlay: () => overlay }),
    )
    const vrrpChanges = describeVrrpChanges(config?.vrrp, loaded.config.vrrp)
    return {
      ok: true,
      file: name,
      diagnostics,
      changes: [...changes, ...vrrpChanges],
      byHand: describeOverlay(steering.overlay),
    }
  }

  function say(level: 'info' | 'warn' | 'error', event: string, message: string, fields = {}): void {
    logger[level](event, message, fields)
    events.add(event, message, fields)
  }

  return {
    start: () => serially(start),
    audit: () => audits.audit(),
    drift: () => audits.last(),
    subscribe: (after, listener) => events.subscribe(after, listener),
    reload: (how = {}) => (how.confirmWithin === undefined ? reloadSoon() : serially(() => reload(how))),
    confirm() {
      const confirmed = trial.confirm()
      if (confirmed) say('info', 'reload.confirmed', 'Reload confirmed')
      return confirmed
    },
    plan: (file) => serially(() => planOf(file)),
    steer: (request) => serially(() => steering.steer(request)),
    version: () => ({ schema: 1, version: options.version, pid: process.pid, startedAt }),
    status: () =>
      buildStatus({
        version: options.version,
        startedAt,
        now: clock.wall(),
        config: { file: options.file, loadedAt, reloads, ...remarks, refused, onTrialUntil: trial.until },
        pools: table.pools,
        overlay: steering.overlay,
        reconciler,
        readKernel,
        ipvsVersion: options.ipvsVersion,
        prober,
        probing: options.probing?.(),
        vrrp: () => failover.status(),
        vrrpInstances: config?.vrrp.instances ?? [],
        sources: sources.status(),
        comparing: comparison?.comparing(),
        refusal: (pool) => offers.refusal(pool),
        isSuspended: (service) => suspension.isSuspended(service),
        troubles: [marks.trouble()].filter((each) => each !== undefined),
        dataPaths: () => dataPathStatus(config, reconciler.actual),
      }),
    vrrp: (command, name) => failover.command(command, name),
    async restartProber(name) {
      if (prober?.restart(name) !== true) throw new RangeError(`there is no prober ${JSON.stringify(name)}`)
      const message = `${name} is started anew, by hand`
      logger.info('prober.restart', message)
      events.add('prober.restart', message, { prober: name })
    },
    async stop({ keep, keepVips = false }) {
      const ended = turns.end(lastTurn)
      trial.confirm()
      sources.stop()
      table.stop()
      drains.stop()
      suspension.stop()
      slowStarts.stop()
      syncHeard.stop()
      audits.stop()
      // What is under way comes to its end, unless it hangs.
      await ended
      // The other director takes over while this one still serves.
      await failover.stop({ keep: keepVips })
      await prober?.stop()
      await syncDaemons.stop()
      if (keep && config !== undefined) {
        // What nobody asks through any more is left to nobody.
        reconciler.want([...dataPathServices(config).keys()].map((id) => [id, undefined] as const))
        await reconciler.settled()
      } else if (config !== undefined) {
        const { lvsFlushOnStop } = config.globals
        await reconciler.removeOwn(lvsFlushOnStop === 'all')
        await timeouts.set(undefined)
        await marks.stop()
        for (const pool of table.pools) {
          if (pool.config.omega) tellGone(pool, 'Shutting down', tellers)
          else tellEnd(pool, tellers)
        }
      }
      unlisten()
      await Promise.all([notifier.drain(1000), vrrpNotifier.drain(1000), alarms.stop(farewell)])
    },
  }
}

import { delaysOf, type Figures, type Prober } from '@ipvs-director/checkers'
import type { CheckerConfig, Forwarding, SorryServer } from '@ipvs-director/config'
import type {
  CheckPace,
  CheckStatus,
  CompareStatus,
  ConfigStatus,
  DataPathStatus,
  ForeignService,
  KernelStatus,
  ProberStatus,
  ProbingNeeds,
  ServerState,
  ServerStatus,
  SourceStatus,
  Status,
  SteeringStatus,
  TroubleStatus,
  VirtualServerStatus,
  VrrpStatus,
} from '@ipvs-director/control'
import { describeError, formatEndpoint, inSlices } from '@ipvs-director/core'
import { serviceId, type Service, type ServiceKey } from 'ipvs-netlink'
import { DurationSums } from './check-durations.ts'
import { checkIdOf } from './checks.ts'
import { destinationName, isSorryActive, serviceKeys, situationOf, wantedWeight, type Situation } from './desired.ts'
import { connectionsLeft } from './drains.ts'
import { noTraffic, type KernelView } from './kernel-view.ts'
import type { CheckHealth, Pool, PoolServer } from './pool.ts'
import type { Overlay } from './overlay.ts'
import type { Reconciler } from './reconcile.ts'
import { isUnsteered } from './steer.ts'
import { weightSteps } from './weight-steps.ts'

/** The processes that probe. */
export interface ProberProcesses {
  processes(): readonly ProberStatus[]
  /** Starts one anew; false: there is none of that name. */
  restart(name: string): boolean
}

export interface StatusSources {
  readonly version: string
  readonly startedAt: number
  readonly now: number
  readonly config: ConfigStatus
  readonly pools: readonly Pool[]
  readonly overlay: Overlay
  readonly reconciler: Reconciler
  readonly readKernel: () => Promise<KernelView>
  readonly ipvsVersion: () => Promise<string>
  readonly prober: (Prober & ProberProcesses) | undefined
  readonly probing: ProbingNeeds | undefined
  readonly vrrp: () => Promise<VrrpStatus | 'silent' | undefined>
  /** Of the configuration: what may be told where VRRP is silent. */
  readonly vrrpInstances: readonly { readonly name: string }[]
  readonly sources: readonly SourceStatus[]
  /** `--compare`. */
  readonly comparing: CompareStatus | undefined
  /** Why the kernel will not have a pool's service. */
  readonly refusal: (pool: Pool) => string | undefined
  /** Whether the checks of a virtual server rest. */
  readonly isSuspended: (service: string) => boolean
  readonly troubles: readonly TroubleStatus[]
  readonly dataPaths: () => Promise<readonly DataPathStatus[]>
}

/** The truth as far as it is known now, each part with its age. A kernel that cannot be asked is said to be so. */
export async function buildStatus(sources: StatusSources): Promise<Status> {
  const [figures, kernel, ipvs, vrrp, dataPaths] = await Promise.all([
    sources.prober?.figures() ?? [],
    sources.readKernel().catch((error: unknown) => describeError(error)),
    sources.ipvsVersion().catch(() => 'unreachable'),
    sources.vrrp(),
    sources.dataPaths(),
  ])
  const view = typeof kernel === 'string' ? undefined : kernel
  const byId = new Map<string, Figures>()
  await inSlices(figures, (each) => {
    byId.set(each.id, each)
  })
  const parts = new Map<Pool, { readonly servers: ServerStatus[]; readonly sums: DurationSums }>()
  await inSlices(sources.pools, (pool) => {
    parts.set(pool, { servers: [], sums: new DurationSums() })
  })
  await inSlices(serversOf(sources.pools), ({ pool, situation, server }) => {
    const part = parts.get(pool)
    for (const checker of server.config.checkers) part?.sums.add(checker.kind, byId.get(checkIdOf(checker)))
    part?.servers.push(serverStatus(pool, situation, server, view, byId, sources.overlay))
  })
  const virtualServers: VirtualServerStatus[] = []
  await inSlices(parts, ([pool, { servers, sums }]) => {
    const durations = sums.all()
    const told = durations.length === 0 ? {} : { durations }
    const refused = sources.refusal(pool)
    const kept = {
      ...(refused === undefined ? {} : { refused }),
      ...(sources.isSuspended(pool.config.name) ? { suspended: true } : {}),
    }
    virtualServers.push({ ...virtualServerStatus(pool, servers, view, sources.overlay), ...told, ...kept })
  })
  const foreign: ForeignService[] = []
  await inSlices(sources.reconciler.foreign, (service) => {
    foreign.push(foreignOf(service))
  })
  return {
    schema: 1,
    version: sources.version,
    pid: process.pid,
    startedAt: sources.startedAt,
    at: sources.now,
    config: sources.config,
    kernel: kernelStatus(sources, ipvs, typeof kernel === 'string' ? kernel : undefined),
    probers: sources.prober?.processes() ?? [],
    ...(sources.probing === undefined ? {} : { probing: sources.probing }),
    vrrp: vrrp === 'silent' ? undefined : vrrp,
    ...(vrrp === 'silent' ? { vrrpSilent: sources.vrrpInstances.map(({ name }) => name) } : {}),
    virtualServers,
    ...(sources.troubles.length === 0 ? {} : { troubles: sources.troubles }),
    foreign,
    ...(sources.sources.length === 0 ? {} : { sources: sources.sources }),
    ...(sources.overlay.removedServices.size === 0 ? {} : { removedServices: [...sources.overlay.removedServices] }),
    ...(sources.comparing === undefined ? {} : { comparing: sources.comparing }),
    ...(dataPaths.length === 0 ? {} : { dataPaths }),
  }
}

function kernelStatus({ reconciler, now }: StatusSources, ipvs: string, unreachable: string | undefined): KernelStatus {
  const { writes, refused, audits, drifts, auditedAt, lastError } = reconciler.figures
  return {
    reachable: unreachable === undefined,
    ipvs,
    auditedAt,
    audits,
    writes,
    refused,
    drifts,
    lastError: unreachable === undefined ? lastError : { at: now, message: unreachable },
  }
}

export function foreignOf(service: Service): ForeignService {
  return {
    name: serviceId(service.key),
    scheduler: service.settings.scheduler,
    destinations: [...service.destinations.keys()],
  }
}

function* serversOf(
  pools: readonly Pool[],
): Generator<{ readonly pool: Pool; readonly situation: Situation; readonly server: PoolServer }> {
  for (const pool of pools) {
    const situation = situationOf(pool)
    for (const server of pool.servers.values()) yield { pool, situation, server }
  }
}

function virtualServerStatus(
  pool: Pool,
  servers: readonly ServerStatus[],
  kernel: KernelView | undefined,
  overlay: Overlay,
): VirtualServerStatus {
  const { config, quorum } = pool
  const leaving = overlay.leavingServices.get(config.name)
  return {
    name: config.name,
    services: serviceKeys(config).map(serviceId),
    scheduler: config.scheduler,
    forwarding: forwardingText(config.forwarding),
    persistence: config.persistenceTimeout,
    state: quorum.up ? 'up' : 'down',
    since: pool.since,
    turns: pool.turns,
    aliveWeight: quorum.aliveWeight,
    quorum: config.quorum,
    hysteresis: config.hysteresis,
    panic: pool.panic,
    totals: kernel?.serviceTraffic(pool) ?? noTraffic,
    sorryServer: sorryStatus(pool, kernel),
    servers,
    removed: [...(overlay.removed.get(config.name) ?? [])],
    ...(overlay.services.some(({ name }) => name === config.name) ? { added: true } : {}),
    ...(leaving === undefined ? {} : { leaving }),
  }
}

function serverStatus(
  pool: Pool,
  situation: Situation,
  server: PoolServer,
  kernel: KernelView | undefined,
  figures: ReadonlyMap<string, Figures>,
  overlay: Overlay,
): ServerStatus {
  const { config, health } = server
  const checks = config.checkers.map((checker, i) =>
    checkStatus(checker, health.checks[i], figures.get(checkIdOf(checker))),
  )
  const telling = checks.find(({ state }) => state === 'down') ?? checks.at(-1)
  const wanted = wantedWeight(server, situation)
  const steps = weightSteps(server, situation)
  const nameFor = (key: ServiceKey): string => destinationName(server, key)
  const found = kernel?.destination(pool, nameFor)
  const entry = wanted === undefined && found !== undefined && isOfAnother(pool, situation, nameFor) ? undefined : found
  return {
    name: server.name,
    state: serverState(checks, health.failed),
    since: health.since,
    turns: health.turns,
    reason: telling === undefined ? 'not checked' : telling.reason,
    class: telling?.class ?? 'ok',
    checkedAt: telling?.at,
    forwarding: forwardingText(config.forwarding),
    wantedWeight: wanted,
    ...(steps.length === 0 ? {} : { weightSteps: steps }),
    kernelWeight: entry?.weight,
    kernelAt: kernel?.at,
    traffic: entry?.traffic ?? noTraffic,
    steering: steeringStatus(pool, server, kernel, overlay),
    checks,
  }
}

/** Whether an entry is there for another server, or for the sorry server, that has the same address: it is not this one's. */
function isOfAnother(pool: Pool, situation: Situation, nameFor: (key: ServiceKey) => string): boolean {
  let wanted = wantedEntries.get(situation)
  if (wanted === undefined) wantedEntries.set(situation, (wanted = new Set(entriesWanted(pool, situation))))
  return serviceKeys(pool.config).some((key) => wanted.has(nameFor(key)))
}

/** Made only where somebody asks, and once for all servers of a pool: there may be thousands. */
const wantedEntries = new WeakMap<Situation, ReadonlySet<string>>()

function* entriesWanted(pool: Pool, situation: Situation): Generator<string> {
  const { sorryServer } = pool.config
  for (const key of serviceKeys(pool.config)) {
    if (situation.sorryActive && sorryServer !== undefined) yield sorryName(sorryServer, key)
    for (const server of pool.servers.values())
      if (wantedWeight(server, situation) !== undefined) yield destinationName(server, key)
  }
}

function sorryName(sorry: SorryServer, key: ServiceKey): string {
  const port = sorry.forwarding.method === 'masq' && sorry.port !== 0 ? sorry.port : 'port' in key ? key.port : 0
  return formatEndpoint({ address: sorry.address, port })
}

function steeringStatus(
  pool: Pool,
  server: PoolServer,
  kernel: KernelView | undefined,
  overlay: Overlay,
): SteeringStatus | undefined {
  const { admin, weight, force } = server.steer
  const added = overlay.added.some((each) => each.service === pool.config.name && each.server === server.name)
  if (isUnsteered(server.steer) && !added) return undefined
  const draining = admin?.kind === 'draining' ? admin : undefined
  return {
    admin: admin?.kind,
    host: admin !== undefined && admin.kind !== 'disabled' && admin.host,
    since: admin?.since,
    deadline: draining?.deadline,
    connectionsLeft: draining === undefined || kernel === undefined ? undefined : connectionsLeft(pool, server, kernel),
    weight,
    force,
    added,
    leaving: overlay.leaving.some(
      (each) => each.service === pool.config.name && formatEndpoint(each.real) === server.name,
    ),
  }
}

/** Silence reads as unknown: a checked server is `up` only after a verdict said so. */
function serverState(checks: readonly CheckStatus[], failed: number): ServerState {
  if (checks.some(({ state }) => state === 'down')) return 'down'
  if (checks.some(({ state }) => state === 'unknown')) return 'unknown'
  return failed === 0 ? 'up' : 'down'
}

function checkStatus(
  config: CheckerConfig,
  health: CheckHealth | undefined,
  figures: Figures | undefined,
): CheckStatus {
  const last = figures?.last ?? (health?.verdict === undefined ? undefined : { ...health.verdict, at: health.at ?? 0 })
  const believed = health?.up === true ? 'believed up' : 'believed down'
  return {
    kind: config.kind,
    target: config.connection === undefined ? '' : formatEndpoint(config.connection),
    state: health?.seen === true ? (health.up ? 'up' : 'down') : 'unknown',
    since: health?.since,
    failures: figures?.failures ?? 0,
    retry: config.timing.retry,
    reason: last?.reason ?? `no verdict yet, ${believed}`,
    class: last?.class ?? 'ok',
    at: last?.at,
    tookMs: last?.took,
    probes: figures?.probes ?? 0,
    failed: figures?.failed ?? 0,
    nextInMs: figures?.nextIn,
    timing: paceOf(config),
  }
}

/** By the options, of which each kind has its own, and the timing: both are one object for many checkers. */
const paces = new WeakMap<CheckerConfig['options'], WeakMap<CheckerConfig['timing'], CheckPace>>()

function paceOf(config: CheckerConfig): CheckPace {
  let alike = paces.get(config.options)
  if (alike === undefined) paces.set(config.options, (alike = new WeakMap<CheckerConfig['timing'], CheckPace>()))
  let pace = alike.get(config.timing)
  if (pace === undefined) {
    const { delayLoop, delayBeforeRetry, timeout } = config.timing
    const { refused, silent, recovered, successes } = delaysOf(config) ?? {}
    pace = {
      delayLoop,
      delayBeforeRetry,
      timeout,
      downRefused: finite(refused),
      downSilent: finite(silent),
      upAgain: finite(recovered),
      successes,
    }
    alike.set(config.timing, pace)
  }
  return pace
}

const finite = (time: number | undefined): number | undefined => (time === Infinity ? undefined : time)

function sorryStatus(pool: Pool, kernel: KernelView | undefined): ServerStatus | undefined {
  const sorry = pool.config.sorryServer
  if (sorry === undefined) return undefined
  const active = isSorryActive(pool)
  const nameFor = (key: ServiceKey): string => sorryName(sorry, key)
  const found = kernel?.destination(pool, nameFor)
  const isElses = !active && !sorry.inhibit && found !== undefined && isOfAnother(pool, situationOf(pool), nameFor)
  const entry = isElses ? undefined : found
  return {
    name: formatEndpoint(sorry),
    state: 'unknown',
    since: undefined,
    turns: 0,
    reason: active ? 'in use: quorum is lost' : 'standby',
    class: 'ok',
    checkedAt: undefined,
    forwarding: forwardingText(sorry.forwarding),
    wantedWeight: active ? 1 : sorry.inhibit ? 0 : undefined,
    kernelWeight: entry?.weight,
    kernelAt: kernel?.at,
    traffic: entry?.traffic ?? noTraffic,
    steering: undefined,
    checks: [],
  }
}

/** As keepalived.conf spells it: NAT, DR, TUN, TUN gue:5555. */
export function forwardingText({ method, tunnel }: Forwarding): string {
  if (method === 'masq') return 'NAT'
  if (method === 'droute') return 'DR'
  if (tunnel === undefined || tunnel.type === 'ipip') return 'TUN'
  return tunnel.type === 'gue' ? `TUN gue:${tunnel.port}` : 'TUN gre'
}

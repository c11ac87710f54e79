import type { Config, SyncGroup, VrrpInstance } from '@ipvs-director/config'
import { type Address, type Clock, type Logger, type Millis, millis } from '@ipvs-director/core'
import { createAgenda } from './agenda.ts'
import { createAnnouncer } from './announcer.ts'
import type { VrrpEvent } from './events.ts'
import { createGroup, type Group, type GroupStatus } from './group.ts'
import { identityOf } from './identity.ts'
import { createInstance, type Instance } from './instance.ts'
import { createInterfaces } from './interfaces.ts'
import type { LinkInterface, VrrpLink } from './link.ts'
import type { Status } from './priority.ts'
import { watchedInterfaces } from './reach.ts'
import { createSleepWatch } from './sleep.ts'
import { createSockets } from './sockets.ts'
import type { Gate, InstanceEvent } from './state.ts'
import type { InstanceStatus } from './status.ts'
import type { Surroundings } from './surroundings.ts'
import { createStranger, type Strangers } from './stranger.ts'
import { createStrays } from './strays.ts'
import { createTrackers, type TrackerStatus } from './trackers.ts'

/** The part of a configuration that VRRP is made from. */
export type VrrpPlan = Pick<Config, 'vrrp' | 'trackFiles'>

export interface VrrpOptions {
  readonly config: VrrpPlan
  readonly link: VrrpLink
  readonly clock: Clock
  readonly logger: Logger
  /** Hears everything that happened, in its order. */
  readonly events: (event: VrrpEvent) => void
}

/** All instances, as `ipvs-ctl vrrp` shows them. */
export interface VrrpStatus {
  readonly instances: readonly InstanceStatus[]
  readonly groups: readonly GroupStatus[]
  /** What is run or watched for them. */
  readonly trackers: readonly TrackerStatus[]
  /** The interfaces as they are believed to be. */
  readonly interfaces: readonly Pick<LinkInterface, 'name' | 'index' | 'mac' | 'up'>[]
  readonly strangers: Strangers
}

/** VRRP at work. */
export interface Vrrp {
  /** A reload: instances are the same by VRID, family, interface and way, not by name, and a master stays master. */
  apply(config: VrrpPlan): void
  status(): VrrpStatus
  /** Gives mastership away; it comes back when nobody else is master, or is won again after `release`. */
  move(name: string): void
  /** Backup until `release`, whatever happens. */
  hold(name: string): void
  /** Undoes `move` and `hold`. The three act on a whole sync group, and throw a RangeError for an unknown name. */
  release(name: string): void
  /** Something the preempt gate waits for has come. */
  gateOpened(gate: Gate): void
  /** A BFD session, or a virtual server's quorum, by the name used in track_bfd and track_virtual_server. */
  report(kind: 'bfd' | 'virtualServer', name: string, status: Status): void
  /** Priority 0, addresses gone, STOP told; `keep`: nothing of that (`--dont-release-vrrp`). */
  stop(options?: { readonly keep?: boolean }): void
}

export function createVrrp(options: VrrpOptions): Vrrp {
  const { link, clock, logger, events } = options
  const instances = new Map<string, Instance>()
  const groups = new Map<string, Group>()
  let plan = options.config
  /** Which instances an address moves with. */
  let virtual: ReadonlyMap<Address, readonly string[]> = new Map()
  let stopped = false

  const refreshAll = (): void => {
    for (const instance of instances.values()) instance.refresh()
  }
  const byName = (name: string): Instance | undefined =>
    [...instances.values()].find((each) => each.config().name === name)
  const groupOf = (name: string): Group | undefined =>
    [...groups.values()].find((each) => each.config().instances.includes(name))

  const isVirtual = (address: Address): boolean => virtual.has(address)
  const stranger = createStranger(
    () => plan.vrrp,
    (name) => byName(name)?.state().phase === 'master',
    logger,
    clock,
    events,
  )
  const interfaces = createInterfaces(clock, logger, isVirtual, refreshAll)
  const strays = createStrays({ interfaces, clock, logger, tell: events }, () => instances.values())
  const shared: Surroundings = {
    link,
    clock,
    agenda: createAgenda(clock),
    logger,
    interfaces,
    sockets: createSockets(link, logger, stranger.hear),
    trackers: createTrackers(link, clock, logger, refreshAll),
    announcer: createAnnouncer(link, clock, logger),
    wakeUp: () => {
      sleep.look()
    },
    tell: events,
    isVirtual,
    straysOf: (key) => strays.of(key),
  }

  const sleep = createSleepWatch(link, logger, (asleep) => {
    for (const instance of instances.values()) instance.dispatch({ type: 'woke', asleep })
  })

  const watch = link.watch({
    interface: (name, now) => {
      interfaces.report(name, now)
    },
    lost: (key, what) => instances.get(key)?.dispatch({ type: 'lost', what }),
    claimed: (_on, address, mac) => {
      for (const key of virtual.get(address) ?? []) instances.get(key)?.dispatch({ type: 'claimed', address, mac })
    },
  })

  const prepare = (now: VrrpPlan): void => {
    const { vrrp, trackFiles } = now
    plan = now
    virtual = virtualAddresses(vrrp.instances)
    const { garpInterval, naInterval } = vrrp.globals
    shared.announcer.configure({ garpInterval, naInterval, groups: vrrp.garpGroups })
    interfaces.configure(vrrp.linkDelays)
    for (const name of new Set(vrrp.instances.flatMap(watchedInterfaces).concat(groupInterfaces(vrrp.syncGroups)))) {
      if (interfaces.get(name) === undefined) {
        const found = link.interface(name)
        if (found !== undefined) interfaces.report(name, found)
      }
    }
    shared.trackers.configure(blocksInUse(now, trackFiles))
    link.pollCarriers(vrrp.linkbeat)
    link.holdStatic(vrrp.staticAddresses, vrrp.staticRoutes, vrrp.staticRules)
  }

  const ensureGroups = (wanted: readonly SyncGroup[]): readonly Group[] => {
    const fresh: Group[] = []
    const names = new Set(wanted.map(({ name }) => name))
    for (const name of groups.keys()) if (!names.has(name)) groups.delete(name)
    for (const config of wanted) {
      const found = groups.get(config.name)
      if (found === undefined) {
        const made = createGroup(config, shared, byName)
        groups.set(config.name, made)
        fresh.push(made)
      } else found.configure(config)
    }
    return fresh
  }

  const create = (config: VrrpInstance): Instance => {
    const made = createInstance(config, groupOf(config.name)?.face(config.name), shared)
    instances.set(made.key, made)
    return made
  }

  const begin = (fresh: readonly Instance[], delay: Millis): void => {
    for (const instance of fresh) instance.refresh()
    for (const instance of fresh) instance.dispatch({ type: 'start', delay })
  }

  const startupDelay = (): Millis => {
    const { startupDelay: configured, delayAfterBoot } = plan.vrrp.globals
    return millis(Math.max(configured, delayAfterBoot === 0 ? 0 : delayAfterBoot - link.uptime()))
  }

  const every = (name: string, event: InstanceEvent): void => {
    const found = byName(name)
    if (found === undefined) throw new RangeError(`there is no vrrp_instance ${name}`)
    const members = groupOf(name)?.config().instances ?? [name]
    for (const member of members) byName(member)?.dispatch(event)
  }

  prepare(plan)
  const firstGroups = ensureGroups(plan.vrrp.syncGroups)
  const firstInstances = plan.vrrp.instances.map(create)
  for (const group of firstGroups) group.announce('BACKUP', 'started')
  begin(firstInstances, startupDelay())

  return {
    apply(now) {
      if (stopped) return
      const wanted = new Map(now.vrrp.instances.map((config) => [identityOf(config), config]))
      for (const [key, instance] of instances) {
        if (wanted.has(key)) continue
        instance.stop('deleted', false)
        instances.delete(key)
      }
      prepare(now)
      const names = new Map([...wanted].map(([key, config]) => [key, config.name]))
      const freshGroups = ensureGroups(now.vrrp.syncGroups)
      for (const [key, config] of wanted)
        instances.get(key)?.reconfigure(config, groupOf(names.get(key) ?? '')?.face(config.name))
      for (const group of freshGroups) group.adopt()
      const fresh = [...wanted].filter(([key]) => !instances.has(key)).map(([, config]) => create(config))
      for (const group of freshGroups) group.announce('BACKUP', 'configured by a reload')
      begin(fresh, millis(0))
      refreshAll()
    },
    status: () => ({
      instances: [...instances.values()].map((each) => each.status()),
      groups: [...groups.values()].map((each) => each.status()),
      trackers: shared.trackers.all(),
      interfaces: interfaces.all().map(({ name, index, mac, up }) => ({ name, index, mac, up })),
      strangers: stranger.heard(),
    }),
    move(name) {
      every(name, { type: 'move' })
    },
    hold(name) {
      every(name, { type: 'hold' })
    },
    release(name) {
      every(name, { type: 'free' })
    },
    gateOpened(gate) {
      for (const instance of instances.values()) instance.dispatch({ type: 'gateOpened', gate })
    },
    report(kind, name, status) {
      shared.trackers.report(kind, name, status)
    },
    stop({ keep = false } = {}) {
      if (stopped) return
      stopped = true
      for (const instance of instances.values()) instance.stop('stopped', keep)
      for (const group of groups.values()) group.announce('STOP', 'the program ends')
      if (!keep) link.holdStatic([], [], [])
      strays.close()
      shared.trackers.close()
      shared.announcer.close()
      interfaces.close()
      shared.sockets.close()
      watch.close()
    },
  }
}

const groupInterfaces = (groups: readonly SyncGroup[]): readonly string[] =>
  groups.flatMap(({ track }) => track.interfaces.map(({ name }) => name))

/** Only what somebody follows is run. */
function blocksInUse(
  { vrrp }: VrrpPlan,
  trackFiles: Config['trackFiles'],
): Parameters<Surroundings['trackers']['configure']>[0] {
  const tracking = [...vrrp.instances, ...vrrp.syncGroups].map(({ track }) => track)
  const scripts = new Set(tracking.flatMap((each) => each.scripts.map(({ name }) => name)))
  const files = new Set(tracking.flatMap((each) => each.files.map(({ name }) => name)))
  const processes = new Set(tracking.flatMap((each) => each.processes.map(({ name }) => name)))
  return {
    scripts: vrrp.scripts.filter(({ name }) => scripts.has(name)),
    files: trackFiles.filter(({ name }) => files.has(name)),
    processes: vrrp.processes.filter(({ name }) => processes.has(name)),
  }
}

function virtualAddresses(instances: readonly VrrpInstance[]): ReadonlyMap<Address, readonly string[]> {
  const keys = new Map<Address, string[]>()
  for (const config of instances) {
    for (const { address } of [...config.addresses, ...config.excluded]) {
      keys.set(address, [...(keys.get(address) ?? []), identityOf(config)])
    }
  }
  return keys
}

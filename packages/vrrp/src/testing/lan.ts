import { type Address, address, loggerTo, type LogLevel, millis } from '@ipvs-director/core'
import type { VrrpEvent } from '../events.ts'
import type { Announcement, Holding, LinkInterface, LinkListener, Path, ScriptResult, VrrpLink } from '../link.ts'
import { type OutgoingPacket, type ReceivedPacket, readIpv4 } from '../packet.ts'
import { createVrrp, type Vrrp, type VrrpPlan } from '../vrrp.ts'
import { clockOf, createSimulation, type Simulation } from './simulation.ts'

/** How a link treats a packet: lost, or how long it takes. */
export type Weather = (from: string, to: string, on: string) => { readonly lost: boolean; readonly delay: number }

/** A machine on the LAN. */
export interface Node {
  readonly name: string
  readonly vrrp: () => Vrrp | undefined
  readonly events: VrrpEvent[]
  readonly log: { readonly level: LogLevel; readonly text: string }[]
  readonly announced: Announcement[]
  /** Everything it sent, by interface. */
  readonly sent: { readonly on: string | undefined; readonly packet: OutgoingPacket; readonly at: number }[]
  /** Names of its interfaces. */
  readonly interfaces: () => readonly string[]
  /** Keys of what its kernel has now. */
  readonly holds: () => readonly string[]
  readonly start: (plan: VrrpPlan) => void
  /** The process ends as by SIGTERM. */
  readonly stop: () => void
  /** kill -9: what its kernel has stays, until a lease ends. */
  readonly kill: () => void
  /** It stands still for so long: SIGSTOP, a long collection, a starved processor. */
  readonly stall: (duration: number) => void
  readonly isStalled: () => boolean
  /** The whole machine was suspended for so long; its clock, and here that of the others, did not move meanwhile. */
  readonly sleep: (duration: number) => void
  /** So many packets found its receive buffers full. */
  readonly overflow: (packets: number) => void
  /** What sending throws from now on; undefined: nothing. */
  readonly refuse: (why: string | undefined) => void
  /** The interface as the kernel sees it. */
  readonly setInterface: (name: string, change: Partial<LinkInterface> | undefined) => void
  /** Somebody removes what is held. */
  readonly remove: (key: string) => void
  readonly listener: () => LinkListener | undefined
  /** What scripts answer, by name. */
  readonly scripts: Map<string, ScriptResult>
  /** Addresses that answer when asked. */
  readonly answering: Set<Address>
}

/** Machines on Ethernet segments named by their interfaces, in virtual time. */
export interface Lan {
  readonly simulation: Simulation
  readonly node: (name: string) => Node
  readonly nodes: readonly Node[]
  /** Two machines no longer hear each other, on one interface or on all; `oneWay`: only `b` does not hear `a`. */
  readonly cut: (a: string, b: string, on?: string, oneWay?: boolean) => void
  readonly heal: () => void
  readonly connected: (a: string, b: string, on?: string) => boolean
  /** A packet from nowhere arrives at a machine. */
  readonly inject: (name: string, packet: OutgoingPacket) => void
  readonly run: (duration: number) => void
  /** As `run`, but lets promises settle after each happening: for scripts and questions. */
  readonly settle: (duration: number) => Promise<void>
}

export interface LanOptions {
  readonly names: readonly string[]
  readonly interfaces?: readonly string[]
  readonly weather?: Weather
  /** After each happening. */
  readonly observe?: (lan: Lan) => void
}

const calm: Weather = () => ({ lost: false, delay: 0.1 })

export function createLan({ names, interfaces = ['eth0'], weather = calm, observe }: LanOptions): Lan {
  const simulation = createSimulation()
  const cuts = new Set<string>()
  const sockets: Socket[] = []

  const transmit = (from: Socket, packet: OutgoingPacket): void => {
    const heard = asReceived(packet)
    for (const to of sockets) {
      if (to.node === from.node || to.path.family !== from.path.family || !reaches(from, to, packet)) continue
      const on = from.path.interface ?? 'eth0'
      const { lost, delay } = weather(from.node, to.node, on)
      if (lost) continue
      simulation.at(simulation.now() + delay, () => {
        if (!sockets.includes(to) || cuts.has(`${from.node}>${to.node}/${on}`)) return
        to.arrive(heard)
      })
    }
  }

  const nodes = names.map((name, index) => createNode(name, index, interfaces, simulation, sockets, transmit))
  const lan: Lan = {
    simulation,
    nodes,
    node: (name) => nodes.find((each) => each.name === name)!,
    cut(a, b, on, oneWay = false) {
      for (const each of on === undefined ? interfaces : [on]) {
        cuts.add(`${a}>${b}/${each}`)
        if (!oneWay) cuts.add(`${b}>${a}/${each}`)
      }
    },
    heal() {
      cuts.clear()
    },
    connected: (a, b, on = 'eth0') => !cuts.has(`${a}>${b}/${on}`) && !cuts.has(`${b}>${a}/${on}`),
    inject(name, packet) {
      const heard = asReceived(packet)
      for (const socket of sockets.filter((each) => each.node === name)) socket.arrive(heard)
    },
    run(duration) {
      simulation.run(duration, () => observe?.(lan))
    },
    async settle(duration) {
      const until = simulation.now() + duration
      while (simulation.now() < until) {
        lan.run(Math.min(10, until - simulation.now()))
        for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
  return lan
}

interface Socket {
  readonly node: string
  readonly path: Path
  arrive(packet: ReceivedPacket): void
}

/** A group reaches who joined it on the same segment; an address reaches whose it is. */
function reaches(from: Socket, to: Socket, packet: OutgoingPacket): boolean {
  if (from.path.protocol !== to.path.protocol) return false
  if (to.path.group !== undefined)
    return packet.destination === to.path.group && from.path.interface === to.path.interface
  return packet.destination === to.path.source
}

function asReceived(packet: OutgoingPacket): ReceivedPacket {
  const v4 = packet.bytes[0] === 0x45 ? readIpv4(packet.bytes) : undefined
  if (v4 !== undefined) return v4
  const { source, destination, ttl, bytes } = packet
  return { source, destination, ttl: ttl ?? 64, protocol: 112, header: undefined, payload: bytes }
}

function createNode(
  name: string,
  index: number,
  interfaceNames: readonly string[],
  simulation: Simulation,
  sockets: Socket[],
  transmit: (from: Socket, packet: OutgoingPacket) => void,
): Node {
  const links = new Map<string, LinkInterface>(interfaceNames.map((each, i) => [each, anInterface(each, i, index)]))
  const kernel = new Map<string, { until: number }>()
  const announced: Announcement[] = []
  const sent: { on: string | undefined; packet: OutgoingPacket; at: number }[] = []
  const events: VrrpEvent[] = []
  const log: { level: LogLevel; text: string }[] = []
  const scripts = new Map<string, ScriptResult>()
  const answering = new Set<Address>()
  let vrrp: Vrrp | undefined
  let life = 0
  let stalledUntil = 0
  let refusal: string | undefined
  let dropped = 0
  let slept = 0
  let timers: (() => void)[] = []
  let inbox: (() => void)[] = []
  let listener: LinkListener | undefined

  const stalled = (): boolean => simulation.now() < stalledUntil
  const drain = (): void => {
    const waiting = inbox
    inbox = []
    for (const each of waiting) each()
  }
  /** Node runs timers that are due before it looks at sockets. */
  const resume = (): void => {
    if (stalled()) return
    const due = timers
    timers = []
    for (const each of due) each()
    drain()
  }
  const whenAwake = (queue: 'timers' | 'inbox', born: number) => (action: () => void) => {
    const guarded = (): void => {
      if (life === born) action()
    }
    if (!stalled()) guarded()
    else if (queue === 'timers') timers.push(guarded)
    else inbox.push(guarded)
  }

  const linkOf = (born: number): VrrpLink => {
    const mine: Socket[] = []
    const awake = whenAwake('inbox', born)
    const remember = (holding: Holding, lease: number | undefined): void => {
      const entry = { until: lease === undefined ? Number.POSITIVE_INFINITY : simulation.now() + lease }
      kernel.set(holding.key, entry)
      if (lease === undefined) return
      simulation.at(entry.until + 0.001, () => {
        if (kernel.get(holding.key) !== entry) return
        kernel.delete(holding.key)
        awake(() => listener?.lost(holding.key, 'an address'))
      })
    }
    return {
      watch(now) {
        listener = now
        return {
          close() {
            if (listener === now) listener = undefined
          },
        }
      },
      interface: (which) => links.get(which),
      sourceTowards: () => links.get('eth0')?.addresses[0],
      open(path, receive) {
        const socket: Socket = {
          node: name,
          path,
          arrive(packet) {
            awake(() => {
              if (sockets.includes(socket)) receive(packet)
            })
          },
        }
        sockets.push(socket)
        mine.push(socket)
        return {
          send(packet) {
            if (refusal !== undefined) throw new Error(refusal)
            sent.push({ on: path.interface, packet, at: simulation.now() })
            transmit(socket, packet)
          },
          dropped: () => dropped,
          resize: () => undefined,
          close() {
            sockets.splice(sockets.indexOf(socket), 1)
          },
        }
      },
      caughtUp(then) {
        drain()
        then()
      },
      createInterface: ({ virtualRouterId, family, forAddresses, on }) => {
        const made = `${family === 'inet' ? 'vrrp' : 'vrrp6'}.${virtualRouterId}${forAddresses ? `.${on}` : ''}`
        links.set(made, { ...anInterface(made, 9, index), addresses: [] })
        return Promise.resolve(made)
      },
      removeInterface(which) {
        links.delete(which)
        return Promise.resolve()
      },
      hold(holding, lease) {
        remember(holding, lease)
        return Promise.resolve()
      },
      renew(holding, lease) {
        if (kernel.has(holding.key)) remember(holding, lease)
        return Promise.resolve()
      },
      release(holding) {
        kernel.delete(holding.key)
        return Promise.resolve()
      },
      holdStatic: () => undefined,
      pollCarriers: () => undefined,
      announce: (announcement) => void announced.push(announcement),
      ask: (which) => Promise.resolve(answering.has(which)),
      runScript: (script) => Promise.resolve(scripts.get(script.name) ?? { kind: 'exited', status: 0 }),
      watchFile: (_path, changed) => {
        changed(undefined)
        return { close: () => undefined }
      },
      watchProcesses: (_process, changed) => {
        changed(1)
        return { close: () => undefined }
      },
      initFile(path) {
        if (path.startsWith('/nosuch/')) throw new Error(`ENOENT: no such file or directory, open '${path}'`)
      },
      readKey: () => new Uint8Array(32),
      uptime: () => simulation.now(),
      suspended: () => millis(slept),
    }
  }

  const end = (): void => {
    life++
    vrrp = undefined
    listener = undefined
    timers = []
    inbox = []
    for (let i = sockets.length - 1; i >= 0; i--) if (sockets[i]!.node === name) sockets.splice(i, 1)
  }

  return {
    name,
    vrrp: () => vrrp,
    events,
    log,
    announced,
    sent,
    scripts,
    answering,
    listener: () => listener,
    interfaces: () => [...links.keys()],
    holds: () => [...kernel].filter(([, { until }]) => until > simulation.now()).map(([key]) => key),
    start(config) {
      end()
      const born = life
      stalledUntil = 0
      const clock = clockOf(simulation, whenAwake('timers', born))
      const logger = loggerTo((level, _event, text) => void log.push({ level, text }))
      vrrp = createVrrp({ config, link: linkOf(born), clock, logger, events: (event) => void events.push(event) })
    },
    stop() {
      vrrp?.stop()
      end()
    },
    kill: end,
    stall(duration) {
      stalledUntil = Math.max(stalledUntil, simulation.now() + duration)
      simulation.at(stalledUntil, resume)
    },
    isStalled: stalled,
    sleep(duration) {
      slept += duration
    },
    overflow(packets) {
      dropped += packets
    },
    refuse(why) {
      refusal = why
    },
    setInterface(which, change) {
      const before = links.get(which) ?? anInterface(which, Math.max(0, interfaceNames.indexOf(which)), index)
      if (change === undefined) links.delete(which)
      else links.set(which, { ...before, ...change })
      whenAwake('inbox', life)(() => listener?.interface(which, links.get(which)))
    },
    remove(key) {
      if (kernel.delete(key)) whenAwake('inbox', life)(() => listener?.lost(key, 'an address'))
    },
  }
}

/** eth0 of the first machine has 192.0.2.1 and fe80::1; eth1 has 198.51.100.1 and fe80::1:1. */
function anInterface(name: string, segment: number, machine: number): LinkInterface {
  const network = ['192.0.2', '198.51.100', '203.0.113'][segment] ?? '10.0.0'
  return {
    name,
    index: segment + 2,
    up: true,
    mac: `02:00:00:00:0${segment}:0${machine + 1}`,
    mtu: 1500,
    announces: true,
    addresses: [address(`${network}.${machine + 1}`), address(`fe80::${segment}:${machine + 1}`)],
  }
}

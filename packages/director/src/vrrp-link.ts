/** The VRRP package's link, on this kernel: sockets, addresses, announcements, trackers. */
import {
  describeError,
  familyOf,
  seconds,
  silentLogger,
  systemClock,
  type Address,
  type Logger,
  type Millis,
} from '@ipvs-director/core'
import type { NetworkRoute, NetworkRule, ProtectedAddress, VrrpScript } from '@ipvs-director/config'
import {
  addressOf,
  formatMac,
  openLinkbeat,
  openSocket,
  openVrrpSocket,
  routeNumbers,
  runScript,
  timeSuspended,
  socketAddress,
  watchNetwork,
  writeSetting,
  type AssignedAddress,
  type RouteFolders,
  type VrrpSocket,
} from '@ipvs-director/linux'
import {
  readIpv4,
  type Holding,
  type LinkInterface,
  type LinkListener,
  type Path,
  type PathHandle,
  type ReceivedPacket,
  type ScriptResult,
  type VrrpLink,
} from '@ipvs-director/vrrp'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Permission } from './scripts.ts'
import { createCarriers } from './vrrp-link/carriers.ts'
import { createFirewall, type GuardedAddress } from './vrrp-link/firewall.ts'
import { iptablesFirewall, type IptablesOptions, type RunProgram } from './vrrp-link/firewall-iptables.ts'
import { nftFirewall, type NftOptions, type RunNft } from './vrrp-link/firewall-nft.ts'
import { createHoldings } from './vrrp-link/holdings.ts'
import { createInterfaces, type Prefixes } from './vrrp-link/interfaces.ts'
import { createNeighbours } from './vrrp-link/neighbours.ts'
import { runNft, runProgram } from './vrrp-link/run-program.ts'
import { watchFile, watchProcesses } from './vrrp-link/tracking.ts'

export interface VrrpLinkOptions {
  readonly logger?: Logger
  /** Of `vrrp_script`: who runs it, or why nobody may. Default: nothing may be run. */
  readonly permit?: (script: VrrpScript) => Permission
  /** `nftables`, for instances that do not accept packets to their addresses. */
  readonly firewall?: NftOptions
  /** `vrrp_iptables`, `vrrp_ipsets`: these instead. */
  readonly iptables?: IptablesOptions | undefined
  /** Addresses of instances that do not accept packets to them: what else a run before this one dropped is let pass. */
  readonly notAccepted?: readonly GuardedAddress[]
  readonly runNft?: RunNft
  readonly runProgram?: RunProgram
  /** False: `disable_local_igmp`. Like keepalived's it stays so. */
  readonly localIgmp?: boolean
  /** `iproute_etc_dir`, `iproute_usr_dir`. */
  readonly routeFolders?: RouteFolders
  /** `vmac_prefix`, `vmac_addr_prefix`. */
  readonly interfacePrefixes?: Prefixes
}

/** The link and its end. */
export interface LinuxVrrpLink extends VrrpLink {
  /** Resolves when everything that was asked for is in the kernel, or was refused. */
  settled(): Promise<void>
  /** Closes all sockets; what is held stays in the kernel. */
  close(): void
}

const IFF_LOOPBACK = 0x8
const IFF_NOARP = 0x80
/** What one turn of the event loop reads of a socket at most: as many may be waiting still. */
const messagesPerTurn = 64
/** No receive buffer holds more than this many turns. */
const mostTurns = 64

/** Opens the link in the network namespace of this thread. Rejects with a KernelError or system error: EPERM. */
export async function openVrrpLink(options: VrrpLinkOptions = {}): Promise<LinuxVrrpLink> {
  const { logger = silentLogger } = options
  const listeners = new Set<LinkListener>()
  const sockets = new Set<VrrpSocket>()
  const held = new Map<string, Holding>()
  /** Of interfaces, under way. */
  const removals = new Set<Promise<void>>()
  if (options.localIgmp === false) disableLocalIgmp(logger)
  let verifying = false
  let verifyAgain = false
  let closed = false

  /** As it was told last, so that what is held coming and going is no news. */
  const toldAs = new Map<string, string>()
  const tell = (name: string): void => {
    const now = interfaceOf(name)
    const text = JSON.stringify(now ?? null)
    if (toldAs.get(name) === text) return
    toldAs.set(name, text)
    for (const listener of listeners) listener.interface(name, now)
  }
  const view = await watchNetwork({
    link(name) {
      tell(name)
      relisten()
      // What went with the interface comes back with it.
      if (view.link(name)?.up === true && holdings.isStaticOn(name)) verifySoon()
    },
    gone: verifySoon,
  })
  const { runNft: nft = runNft, runProgram: program = runProgram } = options
  const firewall = createFirewall(
    options.iptables === undefined
      ? nftFirewall(
          nft,
          options.firewall ?? { table: 'ipvs-director', priority: -1, interfaceIndexes: false, counters: false },
        )
      : iptablesFirewall(program, options.iptables),
  )
  if (options.notAccepted !== undefined) {
    firewall.begin(options.notAccepted).catch((error: unknown) => {
      logger.info('vrrp.firewall', `nothing of an earlier run could be looked for: ${describeError(error)}`)
    })
  }
  const holdings = createHoldings(
    view,
    firewall,
    logger,
    (key, what) => {
      for (const listener of listeners) listener.lost(key, what)
    },
    routeNumbers(options.routeFolders),
  )
  const carriers = createCarriers(openLinkbeat, systemClock, logger, tell)
  const made = createInterfaces(
    view,
    options.interfacePrefixes ?? { own: 'vrrp', forAddresses: 'vrrp' },
    firewall,
    logger,
  )
  const neighbours = createNeighbours(view, (on, address, mac) => {
    if (!holdings.holds(address)) return
    for (const listener of listeners) listener.claimed(on, address, mac)
  })

  /** Many things often go at once; the kernel is asked once for all of them. */
  function verifySoon(): void {
    verifyAgain = true
    if (verifying) return
    verifying = true
    setImmediate(() => void verify())
  }

  async function verify(): Promise<void> {
    while (verifyAgain && !closed) {
      verifyAgain = false
      await holdings.verify().catch((error: unknown) => {
        if (!closed) logger.warn('vrrp.verify', `cannot see what is held: ${describeError(error)}`)
      })
    }
    verifying = false
  }

  let listening = false
  /** Claims are heard where addresses are held. */
  function relisten(): void {
    if (listening) return
    listening = true
    setImmediate(() => {
      listening = false
      if (closed) return
      const wanted = new Map<string, Set<'inet' | 'inet6'>>()
      for (const { addresses, excluded } of held.values()) {
        for (const { address, interface: on } of [...addresses, ...excluded]) {
          if (on === undefined) continue
          wanted.set(on, (wanted.get(on) ?? new Set()).add(address.includes(':') ? 'inet6' : 'inet'))
        }
      }
      try {
        neighbours.listen(wanted)
      } catch (error) {
        logger.warn('vrrp.neighbours', `cannot hear who claims addresses: ${describeError(error)}`)
      }
    })
  }

  /** As VRRP sees it: without the addresses that are held. */
  function interfaceOf(name: string): LinkInterface | undefined {
    const link = view.link(name)
    if (link === undefined) return undefined
    return {
      name,
      index: link.index,
      up: link.up && (carriers.carrier(name) ?? link.running),
      mac: link.mac === undefined ? undefined : formatMac(link.mac),
      mtu: link.mtu,
      announces: (link.flags & (IFF_NOARP | IFF_LOOPBACK)) === 0,
      addresses: sourcesFirst(view.addresses(link.index).filter(({ address }) => !holdings.holds(address))),
    }
  }

  function open(path: Path, receive: (packet: ReceivedPacket) => void): PathHandle {
    const link = path.interface === undefined ? undefined : view.link(path.interface)
    if (path.interface !== undefined && link === undefined) throw new Error(`there is no interface ${path.interface}`)
    const socket = openVrrpSocket(
      {
        family: path.family,
        protocol: path.protocol,
        interface: link,
        group: path.group,
        source: path.source,
        receiveBytes: path.receiveBuffer,
      },
      {
        packet({ source, destination, ttl, bytes }) {
          const packet =
            path.family === 'inet'
              ? readIpv4(bytes, { source, destination })
              : { source, destination, ttl, protocol: path.protocol, header: undefined, payload: bytes }
          if (packet !== undefined) receive(packet)
        },
        error(error) {
          logger.debug('vrrp.socket', `${path.interface ?? 'any interface'}: ${describeError(error)}`)
        },
      },
    )
    sockets.add(socket)
    return {
      send: (packet) => {
        socket.send(packet)
      },
      dropped: () => socket.dropped(),
      resize: (bytes) => {
        socket.resize(bytes)
      },
      close() {
        sockets.delete(socket)
        socket.close()
      },
    }
  }

  /** Two turns from now the sockets have been looked at, whatever phase of the event loop this is; longer in a flood. */
  function caughtUp(then: () => void): void {
    const counts = (): Map<VrrpSocket, number> => new Map([...sockets].map((socket) => [socket, socket.received]))
    const look = (before: ReadonlyMap<VrrpSocket, number>, turns: number): void => {
      setImmediate(() => {
        const now = counts()
        const full = [...now].some(([socket, count]) => count - (before.get(socket) ?? count) >= messagesPerTurn)
        if (full && turns < mostTurns) look(now, turns + 1)
        else then()
      })
    }
    setImmediate(() => {
      look(counts(), 0)
    })
  }

  return {
    watch(listener) {
      listeners.add(listener)
      setImmediate(() => {
        if (listeners.has(listener)) for (const { name } of view.links()) listener.interface(name, interfaceOf(name))
      })
      return { close: () => void listeners.delete(listener) }
    },
    interface: interfaceOf,
    open,
    caughtUp,
    createInterface: (request) => made.create(request),
    removeInterface(name) {
      const removal = made.remove(name)
      removals.add(removal)
      const done = (): void => void removals.delete(removal)
      removal.then(done, done)
      return removal
    },
    hold(holding, lease) {
      held.set(holding.key, holding)
      relisten()
      return holdings.hold(holding, lease)
    },
    renew: (holding, lease) => holdings.renew(holding, lease),
    release(holding) {
      held.delete(holding.key)
      relisten()
      return holdings.release(holding)
    },
    holdStatic(addresses: readonly ProtectedAddress[], routes: readonly NetworkRoute[], rules: readonly NetworkRule[]) {
      holdings.holdStatic({ addresses, routes, rules }).catch((error: unknown) => {
        logger.error('vrrp.static', describeError(error))
      })
    },
    pollCarriers: (wanted) => {
      carriers.poll(wanted)
    },
    announce: (announcement) => {
      neighbours.announce(announcement)
    },
    ask: (address: Address, on: string | undefined, timeout: Millis) => neighbours.ask(address, on, timeout),
    runScript: (script) => run(script, options.permit),
    watchFile: (path, changed) => watchFile(systemClock, path, changed),
    watchProcesses: (wanted, changed) => watchProcesses(systemClock, wanted, changed),
    sourceTowards,
    initFile,
    readKey: (path) => withoutLineEnd(readFileSync(path)),
    uptime: () => seconds(Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0])),
    suspended: timeSuspended,
    async settled() {
      await Promise.allSettled([holdings.settled(), ...removals])
    },
    close() {
      closed = true
      listeners.clear()
      for (const socket of sockets) socket.close()
      neighbours.close()
      carriers.close()
      view.close()
    },
  }
}

/** Memberships of 224.0.0.0/24 are not told: every switch forwards these groups (RFC 4541 §2.1.2). Linux 4.3. */
function disableLocalIgmp(logger: Logger): void {
  try {
    writeSetting('ipv4/igmp_link_local_mcast_reports', '0')
  } catch (error) {
    logger.warn('vrrp.settings', `cannot disable IGMP for local groups: ${describeError(error)}`)
  }
}

/** Addresses that can be sent from: IPv6 link-local first, no tentative ones. */
function sourcesFirst(all: readonly AssignedAddress[]): readonly Address[] {
  const usable = all.flatMap(({ address, tentative, duplicate }) => (tentative || duplicate ? [] : [address]))
  const isLocal = (address: Address): boolean => address.startsWith('fe80:')
  return [...usable.filter(isLocal), ...usable.filter((address) => !isLocal(address))]
}

async function run(script: VrrpScript, permit: VrrpLinkOptions['permit']): Promise<ScriptResult> {
  const permission = permit?.(script) ?? { problem: 'no script may be run' }
  if ('problem' in permission) return { kind: 'failed', text: permission.problem }
  const result = await runScript(permission.command, { ...permission.identity, timeout: script.timeout })
  switch (result.kind) {
    case 'exit':
      return { kind: 'exited', status: result.code }
    case 'signal':
      return { kind: 'signalled', signal: result.signal }
    case 'timeout':
    case 'stopped':
      return { kind: 'timedOut' }
    case 'cannot start':
      return { kind: 'failed', text: result.reason }
  }
}

/** A socket that is connected sends nothing, but the kernel has chosen its source. */
function sourceTowards(destination: Address): Address | undefined {
  const AF_INET = 2
  const AF_INET6 = 10
  const SOCK_DGRAM = 2
  const domain = familyOf(destination) === 'inet' ? AF_INET : AF_INET6
  const socket = openSocket({ domain, type: SOCK_DGRAM, protocol: 0, bufferBytes: 1 }, { error: () => undefined })
  try {
    const to = socketAddress(destination)
    to.writeUInt16BE(discardPort, 2)
    socket.connect(to)
    return addressOf(socket.getsockname())
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}

const discardPort = 9

function initFile(path: string, value: number, overwrite: boolean): void {
  if (overwrite || !existsSync(path)) writeFileSync(path, `${value}\n`)
}

function withoutLineEnd(bytes: Buffer): Uint8Array {
  let end = bytes.length
  if (bytes[end - 1] === 0x0a) end--
  if (bytes[end - 1] === 0x0d) end--
  return Uint8Array.from(bytes.subarray(0, end))
}

import type {
  Ipvlan,
  NetworkRoute,
  NetworkRule,
  ProtectedAddress,
  TrackProcess,
  Vmac,
  VrrpConfig,
  VrrpScript,
} from '@ipvs-director/config'
import type { Address, Family, Millis } from '@ipvs-director/core'
import type { OutgoingPacket, ReceivedPacket } from './packet.ts'

/** One way that advertisements travel: sockets that send and hear them. */
export interface Path {
  readonly family: Family
  /** Interface to bind to; undefined only for unicast without one. With a VMAC this is the VMAC's, unless it sends below. */
  readonly interface: string | undefined
  /** Group to join and to send to; undefined for unicast. */
  readonly group: Address | undefined
  /** Unicast: our own address, which the socket is bound to (IP_FREEBIND). */
  readonly source: Address | undefined
  /** 51 with `auth_type AH`, else 112. */
  readonly protocol: 51 | 112
  /** Bytes of SO_RCVBUF that this one needs; undefined: the kernel's size. */
  readonly receiveBuffer: number | undefined
}

/** An open path. The driver opens equal paths of several instances once, and picks by VRID itself. */
export interface PathHandle {
  /** Sends at once; throws when the kernel refuses (the driver logs it and goes on). */
  send(packet: OutgoingPacket): void
  /** How many packets the kernel has dropped so far because the receive buffer was full. */
  dropped(): number
  /** SO_RCVBUF, bytes: several share the path. */
  resize(receiveBuffer: number): void
  close(): void
}

/** What the driver knows of an interface. */
export interface LinkInterface {
  readonly name: string
  /** Another number under the same name is another interface: sockets are opened anew. */
  readonly index: number
  /** IFF_UP and IFF_RUNNING (of linkbeat interfaces: what the poll says). */
  readonly up: boolean
  readonly mac: string | undefined
  readonly mtu: number
  /** IFF_NOARP is not set, and it is no loopback. */
  readonly announces: boolean
  /** Addresses by family in the kernel's order, primary first; IPv6: link-local first. VIPs may be among them. */
  readonly addresses: readonly Address[]
}

/**
 * Everything that moves with an instance's state. The link orders it: firewall, addresses, excluded, routes, rules.
 * Interfaces are resolved: an address that belongs on the VMAC's interface names that.
 */
export interface Holding {
  /** The instance's identity, which survives a new name: what was held before under the same key is replaced. */
  readonly key: string
  /** Name of the instance, for messages. */
  readonly instance: string
  readonly interface: string | undefined
  readonly virtualRouterId: number
  readonly addresses: readonly ProtectedAddress[]
  readonly excluded: readonly ProtectedAddress[]
  readonly routes: readonly NetworkRoute[]
  readonly rules: readonly NetworkRule[]
  /** False: packets to the addresses are dropped by the firewall. */
  readonly accept: boolean
  readonly promoteSecondaries: boolean
  readonly vmac: Vmac | undefined
  /** Name of the interface that was made for it ({@link VrrpLink.createInterface}). */
  readonly vmacInterface: string | undefined
}

/** One gratuitous ARP or unsolicited neighbour advertisement for an address. */
export interface Announcement {
  readonly interface: string
  readonly address: Address
}

/** How a run of a script ended. */
export type ScriptResult =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'timedOut' }
  /** It could not be started. */
  | { readonly kind: 'failed'; readonly text: string }

/** What the kernel tells on its own. */
export interface LinkListener {
  /** An interface appeared, changed, or (undefined) went away. Also once for each, soon after {@link VrrpLink.watch}. */
  interface(name: string, now: LinkInterface | undefined): void
  /** Something that is held was removed by somebody else (not by {@link VrrpLink.release}); `what` as `ip` prints it. */
  lost(key: string, what: string): void
  /** ARP or neighbour discovery heard another machine say that it has an address that is held here. */
  claimed(on: string, address: Address, mac: string): void
}

/**
 * The world as VRRP needs it. Everything that changes the kernel for one instance takes effect in the order of the calls,
 * and none of the calls waits: what fails later rejects the promise, with what was tried and how it was refused.
 */
export interface VrrpLink {
  watch(listener: LinkListener): { close(): void }
  /** What is known of an interface now; undefined where there is none. */
  interface(name: string): LinkInterface | undefined

  /**
   * Our source address towards another machine by the kernel's routes; undefined where there is no route. Only asked for a
   * `heartbeat_peer` without source and interface.
   */
  sourceTowards(destination: Address): Address | undefined

  /** Opens sockets; throws when that is not possible (no such interface). `receive` gets every advert, of any VRID. */
  open(path: Path, receive: (packet: ReceivedPacket) => void): PathHandle
  /**
   * Calls back when every packet that had arrived before this call has been delivered: in the same turn when that is
   * known, else after one look at the sockets (`setImmediate`: after Node's poll phase). A late timer asks before it
   * believes the silence.
   */
  caughtUp(then: () => void): void

  /** Makes or adopts the macvlan or ipvlan interface of an instance, and names it. */
  createInterface(request: InterfaceRequest): Promise<string>
  /** Removes it, if it was made here. */
  removeInterface(name: string): Promise<void>

  /** Installs everything; addresses live `lease` in the kernel unless renewed. Already there: renewed. */
  hold(holding: Holding, lease: Millis | undefined): Promise<void>
  /** Renews the addresses' lifetime only. */
  renew(holding: Holding, lease: Millis): Promise<void>
  /** Removes everything of it that is there, in reverse order; what is not there is no error. */
  release(holding: Holding): Promise<void>
  /** Installs (and later removes) `static_ipaddress`, `static_routes`, `static_rules`. */
  holdStatic(
    addresses: readonly ProtectedAddress[],
    routes: readonly NetworkRoute[],
    rules: readonly NetworkRule[],
  ): void

  /** Asks these interfaces, and no others, once a second for their carrier, instead of believing IFF_RUNNING. */
  pollCarriers(wanted: VrrpConfig['linkbeat']): void

  /** Sends one gratuitous ARP (IPv4) or unsolicited neighbour advertisement (IPv6). */
  announce(announcement: Announcement): void
  /**
   * Asks an address by ARP or neighbour solicitation on the interface's own network, else by ICMP echo; true when it
   * answers in time. Never rejects.
   */
  ask(address: Address, on: string | undefined, timeout: Millis): Promise<boolean>

  /** Runs `vrrp_script`; a timeout kills its whole process group. Never rejects. */
  runScript(script: VrrpScript): Promise<ScriptResult>
  /** Reports a file's text now and when it changes; undefined: there is none. */
  watchFile(path: string, changed: (text: string | undefined) => void): { close(): void }
  /** Reports how many processes match, now and when that changes. */
  watchProcesses(process: TrackProcess, changed: (count: number) => void): { close(): void }
  /** `init_file`: writes the number unless there is a file and `overwrite` is not set. */
  initFile(path: string, value: number, overwrite: boolean): void
  /** The bytes of a key file of `auth_hmac`, without its last line end; throws when it cannot be read. */
  readKey(path: string): Uint8Array
  /** Time since the machine was booted (/proc/uptime). */
  uptime(): Millis
  /** How long the machine has been suspended so far, which the monotonic clock does not see; asked often, so it is cheap. */
  suspended(): Millis
}

/** A macvlan or ipvlan interface to be made for an instance. */
export interface InterfaceRequest {
  readonly instance: string
  readonly family: Family
  /** The interface it sits on. */
  readonly on: string
  readonly virtualRouterId: number
  /** Name to use unless it is taken: `vrrp.51`, `vrrp6.51`. */
  readonly vmac: Vmac | undefined
  readonly ipvlan: Ipvlan | undefined
  /** It is for addresses alone, and no advertisement leaves by it. */
  readonly forAddresses: boolean
}

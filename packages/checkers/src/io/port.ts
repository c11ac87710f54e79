import type { CheckConnection } from '@ipvs-director/config'
import type { Address, Millis } from '@ipvs-director/core'
import type { Attempt } from '../attempt.ts'
import type { BfdSettings } from '../bfd/machine.ts'
import type { BfdState } from '../bfd/packet.ts'
import type { Fault, ProbeFailure } from '../verdict.ts'

/**
 * What probes need of the world. Every method ends by itself when the attempt does, and rejects with a
 * {@link ProbeFailure} that says how it went wrong.
 */
export interface ProbeIo {
  /** Opens a TCP connection; with `tls` also the TLS session in it. `reads` false: nothing will be read from it. */
  connect(at: CheckConnection, attempt: Attempt, tls?: TlsWish, reads?: boolean): Promise<Connection>
  /** Asks servers whether they let a connection open, and nothing more. `told` hears of each that was asked. */
  doors(told: DoorTold): Doors
  /** Whether its doors can be asked by an {@link Exchange}. */
  readonly exchanges: boolean
  /** Opens a UDP socket that hears nobody but this server. */
  datagrams(at: CheckConnection, attempt: Attempt): Promise<Datagrams>
  /** Sends one ICMP echo request; resolves when the answer to it came. The port means nothing. */
  ping(at: CheckConnection, attempt: Attempt): Promise<void>
  /** Runs a script to its end, or to the end of its process group `timeout` after its start (and 2 s of patience). */
  run(script: ScriptWish, timeout: Millis, attempt: Attempt): Promise<ScriptEnd>
  /** Holds a BFD session until the answered function is called, and tells when it comes up and goes down. */
  bfd(wish: BfdWish, listener: BfdListener): () => void
  /** Tells what is in a file, now and whenever it changes; answers how to end that. */
  watchFile(path: string, told: (content: FileContent) => void): () => void
  /** The files of the SSL block may have changed: read them again when they are next needed. */
  forgetMaterial(): void
}

/**
 * How a server is asked: by opening a connection, by a SYN alone, so that it has nothing to accept, or also by a request, which it
 * answers until it closes.
 */
export type Opening = 'connect' | 'halfOpen' | Exchange

/** A request and what comes back, all of which is known before. */
export interface Exchange {
  /** As UTF-8. `host`: the server's address and port. */
  request(host: string): string
  /** For what one server says. */
  reader(): ExchangeReader
}

export interface ExchangeReader {
  /** Takes a chunk, which is only valid during the call. Throws a {@link ProbeFailure} when this is no answer. */
  take(chunk: Buffer): void
  /** What is wrong with it, now that the server has closed. */
  fault(): Fault | undefined
  /** What it was, in a number. */
  readonly status: number
}

/** Comes once for each that was asked and not given up; without a failure it is as it should be, and answered by this number. */
export type DoorTold = (place: number, failure: ProbeFailure | undefined, status?: number) => void

/**
 * Many servers asked in one go, for which nothing is made: whoever asks knows each by a small number, its place, and minds the time.
 */
export interface Doors {
  /** Collects. It is sent with the others at {@link go}, or before. Nothing may be under way for this place. */
  ask(place: number, at: CheckConnection, opening: Opening): void
  /** Sends what was collected. Those that answer at once are told of before this returns. */
  go(): void
  /** Nothing is told of this place any more, until it is asked again. */
  giveUp(place: number, at: CheckConnection, opening: Opening): void
  /** How far it is, where it is asked in steps. */
  progress(place: number, opening: Opening): Progress | undefined
}

export interface Progress {
  /** When the last step was done; undefined: not even the first. */
  readonly steppedAt: Millis | undefined
  /** What is waited for: "no answer from", as it will be said if it does not come. */
  readonly waiting: string
}

/** A stream to the server. */
export interface Connection {
  /** Something to be said beside the verdict, such as a certificate that ends soon. */
  readonly remark: string | undefined
  /** A text as UTF-8. */
  write(data: string | Uint8Array): void
  /**
   * Hands every chunk to `take` as it arrives, until the peer ends (`end`) or `take` answers true (`enough`). The chunk
   * is only valid during the call. Each chunk is a step of the attempt.
   */
  read(take: (chunk: Buffer) => boolean): Promise<'end' | 'enough'>
  /** Lets go of it at once; what is under way rejects. Closing twice does nothing. */
  close(): void
}

/** Datagrams to and from the server. */
export interface Datagrams {
  send(data: Uint8Array): void
  /**
   * Hands every datagram to `take` until it answers true. Rejects when the server is unreachable (ICMP) or, as `timeout`,
   * when the attempt ends.
   */
  receive(take: (data: Buffer) => boolean): Promise<void>
  /** Lets go of it at once. Closing twice does nothing. */
  close(): void
}

/** How the TLS session is to be. */
export interface TlsWish {
  /** Undefined: the certificate of the server is not looked at, as with keepalived. */
  readonly verify?: CertificateWish
  /** Server name indication; undefined sends none. */
  readonly serverName: string | undefined
  /** Files of the top-level `SSL` block. */
  readonly material: TlsMaterial | undefined
  /** End by close_notify, as the standard wants; otherwise the connection is just closed. */
  readonly compliant: boolean
  /** What the server must agree to speak in it (ALPN); without it nothing is offered. */
  readonly protocol?: 'h2'
}

/** What the certificate of the server must be. */
export interface CertificateWish {
  /** Chain and name must be right. */
  readonly trusted: boolean
  /** PEM file of the authorities to trust; undefined: those that Node has. */
  readonly ca?: string
  /** The name it must be for; undefined: the server name, else the address. */
  readonly name?: string
  /** It must be valid for more than so many days still. */
  readonly failureDays?: number
  /** With fewer days left it is remarked on. */
  readonly warningDays?: number
}

/** The client's side of TLS, as paths of PEM files. */
export interface TlsMaterial {
  readonly password?: string
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
}

/** A BFD session as a `bfd_instance` wants it. */
export interface BfdWish {
  readonly neighbor: Address
  readonly source?: Address
  readonly settings: BfdSettings
  /** Of the packets sent, and those received. */
  readonly ttl: number
  /** Routers that may be between; 255: any. */
  readonly maxHops: number
  /** RFC 5883: the port of sessions over routers. */
  readonly multihop: boolean
}

export interface BfdListener {
  /** It is held from now on, and down until it is told that it came up: also after it broke, and for who joins later. */
  opened(): void
  /** The session came up, or went down from there; `diagnostic` as in RFC 5880 §4.1. */
  changed(state: BfdState, diagnostic: number): void
  /** It cannot be held at the moment, for reasons of our own; it is tried again. */
  broke(failure: ProbeFailure): void
}

/** A file as it is: its text (of at most 4 KiB), or undefined where there is none; or why it cannot be read. */
export type FileContent = { readonly text: string | undefined } | { readonly problem: string }

/** A command line and who runs it (names or numbers as written). */
export interface ScriptWish {
  readonly words: readonly string[]
  readonly user?: string
  readonly group?: string
}

/** How a script ended. */
export type ScriptEnd =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'timeout' }

/**
 * The typed face of the native addon (`native/addon.c`): one generic kernel socket and a few system calls. It is loaded
 * at its first use, so importing this package costs nothing and works where the addon was not built.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A system call's refusal in Node's own form: `bind EADDRINUSE`. */
export interface SystemError extends Error {
  /** The errno's name, for example `EADDRINUSE`. */
  readonly code: string
  /** The errno as a negative number, for example -98. */
  readonly errno: number
  readonly syscall: string
}

/** What a socket is opened with. Numbers as in the uapi headers. */
export interface SocketOptions {
  /** AF_INET 2, AF_INET6 10, AF_NETLINK 16, AF_PACKET 17, AF_UNIX 1. */
  readonly domain: number
  /** SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3, SOCK_SEQPACKET 5. CLOEXEC and NONBLOCK are always added. */
  readonly type: number
  readonly protocol: number
  /** The longest message that can be received whole, in bytes; default 65,536. Allocated per socket. */
  readonly bufferBytes?: number
  /** Room for control messages (cmsg) with each message, in bytes; default 0: none are delivered. */
  readonly controlBytes?: number
}

/** What happens on a socket. An exception thrown here is an `uncaughtException`. */
export interface SocketListener {
  /**
   * A message, in Buffers of its own. `address` is the sender's sockaddr, `control` the raw cmsgs, `flags` is
   * `msg_flags` (MSG_TRUNC 0x20: it was longer than the buffer; MSG_ERRQUEUE 0x2000: from the error queue).
   * On a stream an empty message is the end. Microtasks run after at most 64 messages.
   */
  message?(data: Buffer, address: Buffer | undefined, control: Buffer | undefined, flags: number): void
  /** The socket reported an error and works on: ENOBUFS (netlink), ENETDOWN (packet), ECONNREFUSED. Ends awaitWritable. */
  error(error: SystemError): void
  /** Once for each {@link KernelSocket.awaitWritable}. */
  writable?(): void
  /** After `start(true)`, in place of `message`: {@link KernelSocket.knock} has something to read. */
  readable?(): void
}

/** A non-blocking socket. It stays open until it is closed, whether anybody still refers to it or not. */
export interface KernelSocket {
  /** The descriptor, for fstat and the like; -1 when closed or detached. */
  readonly fd: number
  bind(address: Uint8Array): void
  /** False while the connection is under way: `awaitWritable()`, then SO_ERROR by `getsockopt(1, 4, 4)`. */
  connect(address: Uint8Array): boolean
  setsockopt(level: number, option: number, value: Uint8Array): void
  /** Instructions of classic BPF (linux/filter.h), eight bytes each: what they do not accept is not received. */
  attachFilter(instructions: Uint8Array): void
  /** At most `bytes` (0..4096) of the option's value. */
  getsockopt(level: number, option: number, bytes: number): Buffer
  getsockname(): Buffer
  /**
   * ioctl(2) with a `struct ifreq` (netdevice(7)): the kernel reads and writes `data`, at least 40 bytes, in place. The
   * address of `pointed` is filled in at the offset `at` first; it must be as long as what the request makes the kernel
   * write there.
   */
  ioctl(request: number, data: Uint8Array, pointed?: Uint8Array, at?: number): void
  /** Returns the bytes taken (fewer than given only on a stream), or -1 when none can be taken now (EAGAIN). */
  send(data: Uint8Array, address?: Uint8Array, control?: Uint8Array): number
  /** SYNs to many servers, and their answers: see knocks.ts, for raw sockets of TCP. Returns how many of `ends` there are. */
  knock(
    port: number,
    servers: Int32Array,
    index: Int32Array,
    asked: Int32Array,
    count: number,
    ends: Int32Array,
  ): number
  /**
   * Reports messages and errors from now on, and keeps the process alive unless `unref` was called. With `many` it only tells that there
   * are messages.
   */
  start(many?: boolean): void
  /** No more messages until the next `start()`. */
  stop(): void
  /** Asks for one `writable` (or `error`). */
  awaitWritable(): void
  ref(): void
  unref(): void
  /** Gives the open descriptor away; the socket itself is as if closed. */
  detach(): number
  /** Nothing is reported any more, also from within a listener. Closing twice does nothing; other calls then throw EBADF. */
  close(): void
}

/** An epoll for many connections; poller.ts and dialer.ts are what others use. Descriptors and tokens are the caller's to keep right. */
export interface NativePoller {
  /** See dialer.ts for the numbers; an address has 28 bytes. At most 64 at once. */
  dial(dials: Uint8Array, addresses: Uint8Array, count: number): void
  metItself(fd: number): boolean
  open(domain: number, type: number, protocol: number): number
  connect(fd: number, token: number, address: Uint8Array, reads: boolean): void
  begin(fd: number, address: Uint8Array): void
  ask(fd: number, token: number, request: Uint8Array): number
  send(fd: number, data: Uint8Array): number
  bind(fd: number, address: Uint8Array): void
  setsockopt(fd: number, level: number, option: number, value: Uint8Array): void
  getsockname(fd: number): Buffer
  watch(fd: number, token: number, on: boolean): void
  detach(fd: number): void
  close(fd: number): void
  ref(): void
  unref(): void
}

/**
 * The client's side of TLS, without a socket and without a look at the certificate. What goes wrong is thrown as an Error in
 * OpenSSL's words, with `ERR_SSL` as code; after it there may be an alert to {@link TlsSession.take}.
 */
export interface TlsSession {
  /** Goes on with the handshake; answers whether it is done. */
  handshake(): boolean
  /** Takes what came over the wire. */
  feed(data: Uint8Array): void
  /** Fills `into` with what the peer said: answers the bytes, 0 once it has ended, -1 when there is nothing for now. */
  read(into: Uint8Array): number
  /** Once the handshake is done. */
  write(data: Uint8Array): void
  /** Fills `into` with what is to go over the wire: answers the bytes, 0 when there are none left. */
  take(into: Uint8Array): number
  /** Says close_notify. */
  shutdown(): void
  /** Frees it; closing twice does nothing, all else then throws. */
  close(): void
}

/** See alarm.ts; 0 and less: within a millisecond, not at once. */
export interface NativeAlarm {
  set(delay: number): void
  clear(): void
  close(): void
}

interface Addon {
  readonly TlsSession: new (serverName: string | undefined) => TlsSession
  tlsPrepare(suites: string, ciphers: string): boolean
  readonly Alarm: new (onDue: () => void) => NativeAlarm
  readonly Poller: new (onEvents: (count: number) => void, entries: Int32Array, data: Uint8Array) => NativePoller
  readonly Socket: new (
    domain: number,
    type: number,
    protocol: number,
    onEvent: (...event: RawEvent) => void,
    bufferBytes: number,
    controlBytes: number,
  ) => KernelSocket
  prctl(option: number, second?: number | Uint8Array, third?: number, fourth?: number, fifth?: number): number
  clockGettime(clock: number): number
  setns(fd: number, kind: number): void
  schedSetscheduler(pid: number, policy: number, priority: number): void
  mlock(start: bigint, length: bigint): void
  capset(effective: bigint, permitted: bigint, inheritable: bigint): void
  mallopt(option: number, value: number): void
  mallocTrim(): void
  become(uid: number, gid: number): void
}

/** As in addon.c: what happened, its subject, sender, control messages, msg_flags. */
type RawEvent =
  | [kind: 0, data: Buffer, address: Buffer | undefined, control: Buffer | undefined, flags: number]
  | [kind: 1]
  | [kind: 2, error: SystemError]
  | [kind: 3]

/** Opens a socket; throws a {@link SystemError} when the kernel refuses. Nothing is reported before `start()`. */
export function openSocket(options: SocketOptions, listener: SocketListener): KernelSocket {
  const { domain, type, protocol, bufferBytes = 65_536, controlBytes = 0 } = options
  const { Socket } = addon()
  return new Socket(
    domain,
    type,
    protocol,
    (...event) => {
      if (event[0] === 0) listener.message?.(event[1], event[2], event[3], event[4])
      else if (event[0] === 1) listener.writable?.()
      else if (event[0] === 2) listener.error(event[1])
      else listener.readable?.()
    },
    bufferBytes,
    controlBytes,
  )
}

/** An epoll that writes what is ready into `entries` and `data`, and then says how many entries there are. */
export function nativePoller(onEvents: (count: number) => void, entries: Int32Array, data: Uint8Array): NativePoller {
  const { Poller } = addon()
  return new Poller(onEvents, entries, data)
}

/** A timer of the loop that is set again and again. */
export function nativeAlarm(onDue: () => void): NativeAlarm {
  const { Alarm } = addon()
  return new Alarm(onDue)
}

/** Finds OpenSSL 3; false where Node.js has none. The first call decides what sessions offer, in OpenSSL's names. */
export const prepareTls = (suites: string, ciphers: string): boolean => addon().tlsPrepare(suites, ciphers)

/** After {@link prepareTls}; `serverName` of at most 254 bytes. */
export function newTlsSession(serverName: string | undefined): TlsSession {
  const { TlsSession } = addon()
  return new TlsSession(serverName)
}

/** prctl(2). `second` may be bytes, for PR_SET_NAME 15. Returns what the call returns; throws a {@link SystemError}. */
export const prctl = (
  option: number,
  second?: number | Uint8Array,
  third?: number,
  fourth?: number,
  fifth?: number,
): number => addon().prctl(option, second, third, fourth, fifth)

/** clock_gettime(2), in milliseconds: CLOCK_MONOTONIC 1, CLOCK_BOOTTIME 7. */
export const clockGettime = (clock: number): number => addon().clockGettime(clock)

/** setns(2): moves the calling thread, and only it; call it before anything starts the thread pool. */
export const setns = (fd: number, kind: number): void => {
  addon().setns(fd, kind)
}

/** sched_setscheduler(2); pid 0 is the calling thread. SCHED_RR 2 wants SCHED_RESET_ON_FORK 0x40000000, or scripts inherit it. */
export const schedSetscheduler = (pid: number, policy: number, priority: number): void => {
  addon().schedSetscheduler(pid, policy, priority)
}

/**
 * mlock2(2) with MLOCK_ONFAULT: pages of this range stay in memory once touched. Never for V8's own: it gives pages back
 * by madvise(MADV_DONTNEED), which the kernel refuses for locked ones, and aborts. For that reason there is no mlockall.
 */
export const mlock = (start: bigint, length: bigint): void => {
  addon().mlock(start, length)
}

/** capset(2) with masks of 64 capabilities, for the calling thread only: call it before the thread pool starts. */
export const capset = (effective: bigint, permitted: bigint, inheritable: bigint): void => {
  addon().capset(effective, permitted, inheritable)
}

/** mallopt(3) of glibc; with another C library nothing. */
export const mallopt = (option: number, value: number): void => {
  addon().mallopt(option, value)
}

/** malloc_trim(3) of glibc: gives the kernel back all pages that are free; with another C library nothing. */
export const mallocTrim = (): void => {
  addon().mallocTrim()
}

/**
 * setgroups(2) to none, setgid(2), setuid(2), for every thread. Not those of Node.js: one with a libuv of its own (Debian 13's)
 * refuses them always, because that libuv might use io_uring (CVE-2024-22017). Start the process with UV_USE_IO_URING=0.
 */
export const become = (uid: number, gid: number): void => {
  addon().become(uid, gid)
}

let loaded: Addon | undefined

function addon(): Addon {
  return (loaded ??= createRequire(import.meta.url)(addonFile()) as Addon)
}

/** Whether the addon is there and loads. Where not, sockets and system calls throw {@link loadError}'s words. */
export function addonAvailable(): boolean {
  return loadError() === undefined
}

/** Why the addon cannot be used, or undefined when it can. */
export function loadError(): Error | undefined {
  try {
    addon()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/**
 * Where the addon is: IPVS_DIRECTOR_ADDON, or the nearest of `linux-<arch>.node`, `build/…` and `packages/linux/build/…` from this file
 * upwards: so it is found from `src/`, from `dist/`, from a bundle in the checkout's `build/` and beside a bundle.
 * Throws an Error that says how to build it.
 */
export function addonFile(): string {
  const named = process.env.IPVS_DIRECTOR_ADDON
  if (named !== undefined && named !== '') return named
  const name = `linux-${process.arch}.node`
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    for (const place of ['', 'build', 'packages/linux/build']) {
      const file = join(folder, place, name)
      if (existsSync(file)) return file
    }
    const parent = dirname(folder)
    if (parent === folder) break
    folder = parent
  }
  throw new Error(`the native addon ${name} was not found: build it by \`node packages/linux/native/build.mjs\``)
}

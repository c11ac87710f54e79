/** Datagrams to a UNIX socket whose reader may be slow, gone for a while, or not there yet: syslog, journald, systemd. */
import { openSocket, type KernelSocket } from './native.ts'
import { u16 } from './netlink/codecs.ts'
import { struct } from './netlink/struct.ts'

const AF_UNIX = 1
const SOCK_DGRAM = 2

const unixFamily = struct({ family: u16 })
/** `sun_path` with its final NUL (unix(7)). */
const longestPath = 108

/** struct sockaddr_un; a path that begins with `@` is an abstract name. Throws a RangeError when it is too long. */
export function unixAddress(path: string): Buffer {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`)
  if (name.length > longestPath) throw new RangeError(`${path} is too long for a UNIX socket`)
  return Buffer.concat([unixFamily.encode({ family: AF_UNIX }), name])
}

export interface UnixDatagramOptions {
  readonly path: string
  /** Datagrams kept while the reader takes none; what comes then is lost and counted. Default 1,000. */
  readonly keep?: number
  /** Until the next try after the reader was not there, in milliseconds. Default 1,000. */
  readonly retryAfter?: number
}

/** Where datagrams go. Nothing here throws or waits. */
export interface UnixDatagrams {
  send(data: Uint8Array): void
  /** Datagrams lost so far: no room to wait, or longer than the kernel takes. */
  readonly lost: number
  /** Datagrams that wait for the reader. */
  readonly waiting: number
  /** Why nothing goes out at the moment; undefined when it does. */
  readonly trouble: string | undefined
  /** Resolves when nothing waits any more, at the latest after so many milliseconds. */
  drain(limit: number): Promise<void>
  close(): void
}

export function openUnixDatagrams({ path, keep = 1000, retryAfter = 1000 }: UnixDatagramOptions): UnixDatagrams {
  const queue: Uint8Array[] = []
  let socket: KernelSocket | undefined
  let retry: NodeJS.Timeout | undefined
  let blocked = false
  let lost = 0
  let trouble: string | undefined
  let drained: (() => void)[] = []

  const giveUpForNow = (error: unknown): void => {
    trouble = error instanceof Error ? error.message : String(error)
    socket?.close()
    socket = undefined
    blocked = false
    retry ??= setTimeout(() => {
      retry = undefined
      pump()
    }, retryAfter).unref()
  }

  const open = (): KernelSocket => {
    const made = openSocket(
      { domain: AF_UNIX, type: SOCK_DGRAM, protocol: 0, bufferBytes: 256 },
      {
        error: giveUpForNow,
        writable: () => {
          blocked = false
          pump()
        },
      },
    )
    try {
      made.unref()
      made.connect(unixAddress(path))
    } catch (error) {
      made.close()
      throw error
    }
    return made
  }

  /** The receiver queues ten datagrams or so; then it has to be waited for. */
  const pump = (): void => {
    if (retry !== undefined || blocked) return
    try {
      for (let next = queue[0]; next !== undefined; next = queue[0]) {
        socket ??= open()
        if (!sendOne(socket, next)) {
          blocked = true
          socket.awaitWritable()
          return
        }
        queue.shift()
        trouble = undefined
      }
    } catch (error) {
      giveUpForNow(error)
      return
    }
    for (const done of drained) done()
    drained = []
  }

  /** False when it has to wait. One that is too long for the kernel is dropped: it will never be taken. */
  const sendOne = (to: KernelSocket, data: Uint8Array): boolean => {
    try {
      return to.send(data) !== -1
    } catch (error) {
      if (!(error instanceof Error) || !('code' in error) || error.code !== 'EMSGSIZE') throw error
      lost++
      return true
    }
  }

  return {
    send(data) {
      if (queue.length >= keep) {
        lost++
        return
      }
      queue.push(data)
      pump()
    },
    get lost() {
      return lost
    },
    get waiting() {
      return queue.length
    },
    get trouble() {
      return trouble
    },
    async drain(limit) {
      if (queue.length === 0) return
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limit)
        drained.push(resolve)
      })
      clearTimeout(timer)
    },
    close() {
      clearTimeout(retry)
      retry = undefined
      blocked = true // nothing is sent any more
      socket?.close()
      socket = undefined
    },
  }
}

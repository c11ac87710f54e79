import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import type { Millis } from '@ipvs-director/core'
import type { Host } from '../host.ts'
import { insideNamespace } from '../namespace.ts'

/** A TCP server that a test keeps in a host. */
export interface TcpServer {
  /** The connections that are open. */
  readonly open: ReadonlySet<Socket>
  /** Stops listening, so that connections are refused; those that are open live on unless `reset`. */
  close(reset?: 'reset'): void
}

export interface TcpServerOptions {
  readonly port: number
  /** Default `::`, which is every address of both families. */
  readonly address?: string
  /** What to do with a connection; the default sends back what comes. */
  readonly connection?: (socket: Socket) => void
}

/** Opens a TCP server in a host; without `connection` an echo that stays open as long as the client likes. */
export async function serveTcp(host: Host, options: TcpServerOptions): Promise<TcpServer> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => open.delete(socket))
    if (options.connection === undefined) socket.pipe(socket)
    else options.connection(socket)
  })
  await insideNamespace(host, async () => {
    server.listen({ port: options.port, host: options.address ?? '::' })
    await once(server, 'listening')
  })
  return {
    open,
    close(reset) {
      server.close()
      if (reset === 'reset') for (const socket of open) socket.resetAndDestroy()
    },
  }
}

/** A long connection from a host, with what happened to it. */
export interface LongConnection {
  /** Undefined while it is open; then why it closed: `ECONNRESET`, `end`. */
  readonly closed: string | undefined
  /** Sends a text and resolves with the answer's text, which must have as many bytes. */
  exchange(text: string): Promise<string>
  /** The port at this end. */
  readonly localPort: number
  end(): void
}

/** Connects from a host; rejects when that is refused, or not done `within` some time (default: as long as TCP tries). */
export async function connectFrom(host: Host, address: string, port: number, within?: Millis): Promise<LongConnection> {
  const early: { error: Error | undefined } = { error: undefined }
  // Only the socket is made in the namespace: whoever waited there for an answer would keep all others out.
  const socket = await insideNamespace(host, async () => {
    const opening = connect({ host: address, port })
    opening.once('error', (error) => (early.error = error))
    await new Promise((resolve) => setImmediate(resolve))
    return opening
  })
  if (early.error !== undefined) throw early.error
  if (socket.connecting) {
    const timer =
      within === undefined
        ? undefined
        : setTimeout(() => socket.destroy(new Error(`no connection within ${within} ms`)), within)
    await once(socket, 'connect').finally(() => {
      clearTimeout(timer)
    })
  }
  const state: { closed: string | undefined } = { closed: undefined }
  socket.on('error', (error: NodeJS.ErrnoException) => (state.closed = error.code ?? error.message))
  socket.on('end', () => (state.closed ??= 'end'))
  return {
    get closed() {
      return state.closed
    },
    localPort: socket.localPort ?? 0,
    async exchange(text) {
      if (state.closed !== undefined) throw new Error(`the connection is closed: ${state.closed}`)
      socket.write(text)
      return reply(socket, Buffer.byteLength(text))
    },
    end() {
      socket.destroy()
    },
  }
}

function reply(socket: Socket, length: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0)
    const settle = (action: () => void): void => {
      socket.off('data', more).off('error', reject).off('close', gone)
      action()
    }
    const gone = (): void => {
      settle(() => {
        reject(new Error('the connection closed before the answer'))
      })
    }
    const more = (chunk: Buffer): void => {
      got = Buffer.concat([got, chunk])
      if (got.length >= length) {
        settle(() => {
          resolve(got.toString())
        })
      }
    }
    socket.on('data', more).once('error', reject).once('close', gone)
  })
}

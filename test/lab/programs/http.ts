import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { Millis } from '@ipvs-director/core'
import type { Host } from '../host.ts'
import { insideNamespace } from '../namespace.ts'

/** What an {@link HttpServer} does with a request: answers, never answers, or closes the connection. */
export type Answer =
  | 'hang'
  | 'close'
  | {
      /** Default 200. */
      readonly status?: number
      /** Default the host's name and a line end. */
      readonly body?: string
      readonly headers?: Readonly<Record<string, string>>
      /** Before the answer; default none. */
      readonly delay?: Millis
    }

/** A web server that a test keeps in a host. */
export interface HttpServer {
  /** What happens to the next requests; may be changed at any time. */
  answer: Answer
  /** The requests so far: `GET /path` and the Host header. */
  readonly requests: readonly { readonly line: string; readonly host: string | undefined }[]
  /** Connections accepted so far. */
  readonly connections: number
  /** Stops listening, so that connections are refused, and resets those that are open. */
  close(): Promise<void>
}

export interface HttpServerOptions {
  /** Default 80, with TLS 443. */
  readonly port?: number
  /** Default `::`, which is every address of both families. */
  readonly address?: string
  readonly answer?: Answer
  /** Key, certificate and what else `node:https` takes; see certificate(). */
  readonly tls?: ServerOptions
}

/** Opens a web server in a host. It lives in this process and is closed by `close`; the lab does not know it. */
export async function serveHttp(host: Host, options: HttpServerOptions = {}): Promise<HttpServer> {
  const requests: { line: string; host: string | undefined }[] = []
  const state = { answer: options.answer ?? {}, connections: 0 }
  const answer: RequestListener = (request, response) => {
    const now = state.answer
    requests.push({ line: `${request.method ?? ''} ${request.url ?? ''}`, host: request.headers.host })
    if (now === 'hang') return
    if (now === 'close') {
      request.socket.destroy()
      return
    }
    setTimeout(() => {
      response.writeHead(now.status ?? 200, { 'content-type': 'text/plain', ...now.headers })
      response.end(now.body ?? `${host.name}\n`)
    }, now.delay ?? 0)
  }
  const server: Server = options.tls === undefined ? createServer(answer) : createTlsServer(options.tls, answer)
  server.on('connection', () => state.connections++)
  const port = options.port ?? (options.tls === undefined ? 80 : 443)
  await insideNamespace(host, () => listening(server, port, options.address ?? '::'))
  return {
    get answer() {
      return state.answer
    },
    set answer(next) {
      state.answer = next
    },
    get connections() {
      return state.connections
    },
    requests,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function listening(server: Server, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host: address }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

import type { CheckConnection } from '@ipvs-director/config'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type * as Undici from 'undici'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { endFailure } from './failure.ts'
import type { ReplySink, RequestWish, TlsWish } from './port.ts'
import { targetOf } from './target.ts'
import { checkSession, openSession, sessionFailure, type Contexts } from './tls.ts'

/** 200 ms and 20 MB that only checks with `http_protocol 2` pay. */
export const loadHttp2 = (): Promise<typeof Undici> => import('undici')

/** As keepalived's request has it; own headers of the same name come after it. */
const userAgent = 'KeepAliveClient'

/** One request by undici over a TLS session of ours; answers a remark on the certificate. The server must speak HTTP/2: nothing else is offered. */
export async function requestHttp2(
  at: CheckConnection,
  attempt: Attempt,
  wish: TlsWish,
  request: RequestWish,
  reply: ReplySink,
  { contexts, socket }: { readonly contexts: Contexts; readonly socket: Socket | undefined },
): Promise<string | undefined> {
  const { Client } = await loadHttp2()
  const { where, host: origin } = targetOf(at)
  let failure: ProbeFailure | undefined
  let waiting = 'no connection to'
  let session: TLSSocket | undefined
  let remark: string | undefined
  const client = new Client(`https://${origin}`, {
    allowH2: true,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_, done) => {
      const opened = openSession(at, wish, contexts, { socket, protocols: ['h2'] })
      session = opened
      watchSession(opened, socket !== undefined, {
        connected: () => {
          waiting = 'no end of the TLS handshake with'
          attempt.step()
        },
        ready: () => {
          remark = checkSession(opened, wish, at)
          waiting = 'no answer from'
          attempt.step()
          done(null, opened)
        },
        broke: (error, connected, atOnce) => {
          failure ??= sessionFailure(error, where, connected, atOnce)
          done(error, null)
        },
      })
    },
  })
  attempt.onEnd = (why) => {
    failure ??= endFailure(why, `${waiting} ${where}`, attempt)
    void client.destroy(failure)
  }
  try {
    const { method, path, host, headers, body } = request
    const answer = await client.request({
      method,
      path,
      headers: ['user-agent', userAgent, 'host', host, ...headers.flatMap(splitHeader)],
      body: body ?? null,
    })
    waiting = 'no end of the answer from'
    attempt.step()
    reply.begin(answer.statusCode, lengthOf(answer.headers['content-length']), headersOf(answer.headers))
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      attempt.step()
      reply.takeBody(chunk)
    }
    return remark
  } catch (error) {
    if (error instanceof ProbeFailure && error !== failure) {
      throw new ProbeFailure(error.class, `${error.message} from ${where}`, error)
    }
    throw failure ?? new ProbeFailure('protocol', `HTTP/2: ${textOf(error)}: ${where}`, error)
  } finally {
    attempt.onEnd = undefined
    void client.destroy()
    // While it is being opened the client does not know of it yet.
    session?.destroy()
  }
}

interface SessionEvents {
  connected(): void
  ready(): void
  broke(error: Error, connected: boolean, atOnce: boolean): void
}

function watchSession(session: TLSSocket, handedOver: boolean, events: SessionEvents): void {
  let connected = handedOver
  let ready = false
  let atOnce = false
  process.nextTick(() => {
    atOnce = session.destroyed
  })
  if (connected) events.connected()
  session.once('connect', () => {
    connected = true
    events.connected()
  })
  session.once('secureConnect', () => {
    ready = true
    try {
      if (session.alpnProtocol !== 'h2') throw new ProbeFailure('tls', 'the server does not speak HTTP/2')
      events.ready()
    } catch (error) {
      session.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  })
  session.on('error', (error: Error) => {
    if (!ready || error instanceof ProbeFailure) events.broke(error, connected, atOnce)
  })
}

function splitHeader(text: string): [string, string] {
  const colon = text.indexOf(':')
  return [text.slice(0, colon), text.slice(colon + 1).trim()]
}

function headersOf(headers: Readonly<Record<string, string | string[] | undefined>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(headers).flatMap(([name, text]) =>
      text === undefined ? [] : [[name.toLowerCase(), Array.isArray(text) ? text.join(', ') : text] as const],
    ),
  )
}

function lengthOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

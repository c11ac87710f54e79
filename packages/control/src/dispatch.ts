import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describeError, errorCode, type Logger } from '@ipvs-director/core'
import { answerJson } from './answer.ts'
import type { ControlLimits } from './limits.ts'
import { HttpProblem } from './problem.ts'
import type { Access, Route } from './routes.ts'

/**
 * Who may do what, by the connection it comes from; undefined: nothing. Without one the socket file's mode and group
 * are the only guard (Node cannot ask for the peer's credentials).
 */
export type Authorize = (socket: Socket) => Access | undefined

export interface DispatchOptions {
  readonly routes: readonly Route[]
  readonly authorize: Authorize | undefined
  readonly limits: ControlLimits
  readonly logger: Logger
}

/** Finds the route, checks what may be checked before it runs, and turns every failure into a JSON answer. */
export async function dispatch(
  request: IncomingMessage,
  response: ServerResponse,
  options: DispatchOptions,
): Promise<void> {
  try {
    const { pathname, query } = target(request)
    const route = findRoute(options.routes, request.method ?? '', pathname)
    permit(route, request, options.authorize)
    for (const name of query.keys()) {
      if (!route.query.includes(name)) {
        throw new HttpProblem(400, 'bad-request', `unknown parameter ${JSON.stringify(name)} for ${route.path}`)
      }
    }
    await route.answer({ request, response, query })
  } catch (error) {
    answerFailure(request, response, error, options)
  }
}

function target(request: IncomingMessage): { pathname: string; query: URLSearchParams } {
  const [pathname = '', ...query] = (request.url ?? '').split('?')
  return { pathname, query: new URLSearchParams(query.join('?')) }
}

function findRoute(routes: readonly Route[], method: string, pathname: string): Route {
  const there = routes.filter((route) => route.path === pathname)
  const found = there.find((route) => route.method === method)
  if (found !== undefined) return found
  if (there.length === 0) {
    throw new HttpProblem(404, 'not-found', `nothing at this path; GET / lists what there is`)
  }
  const allow = there.map((route) => route.method).join(', ')
  throw new HttpProblem(405, 'method-not-allowed', `${pathname} takes ${allow}`, { headers: { allow } })
}

function permit(route: Route, request: IncomingMessage, authorize: Authorize | undefined): void {
  if (authorize === undefined) return
  const access = authorize(request.socket)
  if (access === 'write' || access === route.access) return
  const may = access === undefined ? 'nothing' : 'only look'
  throw new HttpProblem(403, 'forbidden', `not permitted: you may ${may}`)
}

function answerFailure(
  request: IncomingMessage,
  response: ServerResponse,
  error: unknown,
  { limits, logger }: DispatchOptions,
): void {
  const problem = error instanceof HttpProblem ? error : new HttpProblem(500, 'internal', describeError(error))
  // Who is told to come again (503) is no failure of ours.
  if (problem.status >= 500)
    logger[problem.status === 503 ? 'warn' : 'error'](
      'control.failed',
      `${request.method} ${request.url}: ${problem.message}`,
    )
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  answerJson(response, problem.status, problem.body(), limits, problem.headers)
}

/** What the HTTP parser refuses never becomes a request: answered by hand, then disconnected. */
export function answerClientError(error: Error, socket: Duplex): void {
  if (!socket.writable || errorCode(error) === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const problem = clientProblem(error)
  const text = `${JSON.stringify(problem.body())}\n`
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.code}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    () => {
      socket.destroy()
    },
  )
}

function clientProblem(error: Error): HttpProblem {
  switch (errorCode(error)) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new HttpProblem(408, 'timeout', 'the request did not arrive in time')
    case 'HPE_HEADER_OVERFLOW':
      return new HttpProblem(431, 'too-large', 'the request line and headers are too long')
    default:
      return new HttpProblem(400, 'bad-request', 'this is not HTTP')
  }
}

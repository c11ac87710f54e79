import type { Server } from 'node:http'
import { describeError, type Logger } from '@ipvs-director/core'
import { answerJson } from './answer.ts'
import { answerClientError, dispatch, type Authorize } from './dispatch.ts'
import type { EventStream } from './event-stream.ts'
import type { ControlLimits } from './limits.ts'
import type { ControlHandlers } from './model.ts'
import { controlRoutes, type Route } from './routes.ts'
import { claimSocket, type SocketClaim, type SocketClaimOptions } from './socket-claim.ts'

export interface ControlServerOptions {
  /** The socket, claimed before; or where to claim it. */
  readonly socket: SocketClaim | SocketClaimOptions
  readonly handlers: ControlHandlers
  readonly logger: Logger
  readonly authorize?: Authorize | undefined
}

export interface ControlServer {
  /** Ends the streams of events, lets answers under way be finished for a moment, removes the socket file. */
  close(): Promise<void>
}

/** Serves the control API on a UNIX socket. Throws a SocketPathError where that cannot be had (`claimSocket`). */
export async function createControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const claim = 'serve' in options.socket ? options.socket : await claimSocket(options.socket)
  const { server, limits } = claim
  const streams = new Set<EventStream>()
  const routes = controlRoutes({ handlers: options.handlers, limits, logger: options.logger, streams })
  routes.push(indexRoute(routes, limits))
  server.on('clientError', answerClientError)
  server.on('error', (error) => {
    options.logger.error('control.socket', `control socket: ${describeError(error)}`)
  })
  claim.serve((request, response) => {
    void dispatch(request, response, { routes, authorize: options.authorize, limits, logger: options.logger })
  })
  let closing: Promise<void> | undefined
  return {
    close: () => (closing ??= shutDown(server, streams, () => claim.release())),
  }
}

/** `GET /`: what there is, for somebody with curl. */
function indexRoute(routes: readonly Route[], limits: ControlLimits): Route {
  const endpoints = routes.map(({ method, path, access, doc }) => ({ method, path, access, doc }))
  return {
    method: 'GET',
    path: '/',
    access: 'read',
    query: [],
    doc: 'This list.',
    answer: ({ response }) => {
      answerJson(response, 200, { endpoints }, limits)
      return Promise.resolve()
    },
  }
}

/** Time that answers under way have to reach their readers at the end. */
const parting = 500

async function shutDown(
  server: Server,
  streams: ReadonlySet<EventStream>,
  removeFile: () => Promise<void>,
): Promise<void> {
  await removeFile()
  const closed = new Promise<void>((resolve) => {
    server.close(() => {
      resolve()
    })
  })
  for (const stream of streams) stream.end()
  server.closeIdleConnections()
  const impatience = setTimeout(() => {
    server.closeAllConnections()
  }, parting)
  await closed
  clearTimeout(impatience)
}

import { createServer, type Server } from 'node:http'
import { chmod, chown, lstat, readFile } from 'node:fs/promises'
import { isMainThread } from 'node:worker_threads'
import { describeError, type Logger } from '@ipvs-director/core'
import { answerJson } from './answer.ts'
import { answerClientError, dispatch, type Authorize } from './dispatch.ts'
import type { EventStream } from './event-stream.ts'
import { defaultLimits, type ControlLimits } from './limits.ts'
import type { ControlHandlers } from './model.ts'
import { controlRoutes, type Route } from './routes.ts'
import { clearSocketPath, publishSocket, removeSocket, SocketPathError, temporaryPath } from './socket-path.ts'

export interface ControlServerOptions {
  readonly path: string
  /** Mode of the socket file; default 0660. Connecting takes the write bit. */
  readonly mode?: number
  /** Group of the socket file, by name (from /etc/group) or number; default: that of the process. */
  readonly group?: string | number | undefined
  readonly handlers: ControlHandlers
  readonly logger: Logger
  readonly authorize?: Authorize | undefined
  readonly limits?: Partial<ControlLimits>
}

export interface ControlServer {
  /** Ends the streams of events, lets answers under way be finished for a moment, removes the socket file. */
  close(): Promise<void>
}

/**
 * Serves the control API on a UNIX socket. The file appears when everything is right, mode and group included. Throws a
 * SocketPathError where another director listens, where the path is something else, or where the system refuses.
 */
export async function createControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const limits = { ...defaultLimits, ...options.limits }
  const streams = new Set<EventStream>()
  const routes = controlRoutes({ handlers: options.handlers, limits, logger: options.logger, streams })
  routes.push(indexRoute(routes, limits))
  const server = httpServer(limits)
  server.on('clientError', answerClientError)
  server.on('request', (request, response) => {
    void dispatch(request, response, { routes, authorize: options.authorize, limits, logger: options.logger })
  })
  const inode = await listen(server, options)
  server.on('error', (error) => {
    options.logger.error('control.socket', `control socket: ${describeError(error)}`)
  })
  let closing: Promise<void> | undefined
  return {
    close: () => (closing ??= shutDown(server, streams, () => removeSocket(options.path, inode))),
  }
}

function httpServer(limits: ControlLimits): Server {
  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.requestTime,
    requestTimeout: limits.requestTime,
    keepAliveTimeout: limits.idleTime,
    connectionsCheckingInterval: Math.max(10, Math.min(1000, limits.requestTime / 4)),
  })
  server.maxConnections = limits.connections
  return server
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

/** Binds under a temporary name, sets mode and group, then gives the socket its name. Returns its inode. */
async function listen(server: Server, { path, mode = 0o660, group }: ControlServerOptions): Promise<number> {
  const gid = group === undefined ? undefined : await groupId(group)
  await clearSocketPath(path)
  const temporary = temporaryPath(path)
  try {
    await bind(server, temporary)
    await chmod(temporary, mode)
    if (gid !== undefined) await chown(temporary, -1, gid)
    const { ino } = await lstat(temporary)
    await publishSocket(path)
    return ino
  } catch (error) {
    server.close()
    if (error instanceof SocketPathError) throw error
    throw new SocketPathError('failed', `cannot make the control socket ${path}: ${describeError(error)}`, error)
  }
}

/** From bind(2) to chmod(2) the file has the mode the umask leaves, so nobody else may connect meanwhile. */
function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const umask = isMainThread ? process.umask(0o177) : undefined
    try {
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      if (umask !== undefined) process.umask(umask)
    }
  })
}

/** The number of a group; names from /etc/group. Throws a SocketPathError for an unknown one. */
async function groupId(group: string | number): Promise<number> {
  if (typeof group === 'number') return group
  if (/^\d+$/.test(group)) return Number(group)
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'))
  const id = lines.find(([name]) => name === group)?.[2]
  if (id === undefined) throw new SocketPathError('failed', `no group ${JSON.stringify(group)} in /etc/group`)
  return Number(id)
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

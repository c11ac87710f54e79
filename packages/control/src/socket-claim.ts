import { chmod, chown, lstat, readFile } from 'node:fs/promises'
import { createServer, type Server, type ServerOptions } from 'node:http'
import { isMainThread } from 'node:worker_threads'
import { describeError } from '@ipvs-director/core'
import { defaultLimits, type ControlLimits } from './limits.ts'
import { clearSocketPath, publishSocket, removeSocket, SocketPathError, temporaryPath } from './socket-path.ts'

export interface SocketClaimOptions {
  readonly path: string
  /** Mode of the socket file; default 0660. Connecting takes the write bit. */
  readonly mode?: number
  /** Group of the socket file, by name (from /etc/group) or number; default: that of the process. */
  readonly group?: string | number | undefined
  readonly limits?: Partial<ControlLimits>
}

/**
 * The control socket, ours from the moment it is claimed: only one director gets it, so only one goes on to write to the
 * kernel. Requests that come before there is anybody to answer wait.
 */
export interface SocketClaim {
  readonly server: Server
  readonly limits: ControlLimits
  /** Gives the requests that wait, and those to come, to `answer`. */
  serve(answer: Answer): void
  /** Removes the file. Nobody comes in any more; without {@link serve} those who wait are sent away. */
  release(): Promise<void>
}

type Answer = NonNullable<Parameters<typeof createServer>[1]>

/**
 * Makes the socket; the file appears when mode and group are right. Throws a SocketPathError where another director
 * listens, where the path is something else, or where the system refuses.
 */
export async function claimSocket(options: SocketClaimOptions): Promise<SocketClaim> {
  const limits = { ...defaultLimits, ...options.limits }
  const server = createServer(timesOf(limits))
  server.maxConnections = limits.connections
  let waiting: Parameters<Answer>[] | undefined = []
  let answer: Answer = (...exchange) => void waiting?.push(exchange)
  server.on('request', (...exchange) => {
    answer(...exchange)
  })
  const inode = await listen(server, options)
  let released: Promise<void> | undefined
  return {
    server,
    limits,
    serve(next) {
      answer = next
      for (const exchange of waiting ?? []) next(...exchange)
      waiting = undefined
    },
    release: () =>
      (released ??= removeSocket(options.path, inode).then(() => {
        if (waiting === undefined) return
        server.close()
        server.closeAllConnections()
      })),
  }
}

function timesOf(limits: ControlLimits): ServerOptions {
  return {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.requestTime,
    requestTimeout: limits.requestTime,
    keepAliveTimeout: limits.idleTime,
    connectionsCheckingInterval: Math.max(10, Math.min(1000, limits.requestTime / 4)),
  }
}

/** Binds under a temporary name, sets mode and group, then gives the socket its name. Returns its inode. */
async function listen(server: Server, { path, mode = 0o660, group }: SocketClaimOptions): Promise<number> {
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

import { connect } from 'node:net'
import { link, lstat, mkdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describeError, errorCode } from '@ipvs-director/core'

/** Why the control socket could not be had; the message is a sentence for the operator. */
export class SocketPathError extends Error {
  override readonly name = 'SocketPathError'
  /** `taken`: another director answers there; `occupied`: something else than a socket; `failed`: the file system refused. */
  readonly kind: 'taken' | 'occupied' | 'failed'

  constructor(kind: SocketPathError['kind'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
  }
}

/** Where the director listens unless told otherwise. */
export const defaultSocketPath = '/run/ipvs-director/control.sock'

/** unix(7): `sun_path` holds 108 bytes with the final zero. Longer paths would be cut without a word. */
const longestPath = 107

/** The name the socket is bound to until its mode and owner are right. */
export function temporaryPath(path: string): string {
  return `${path}.${process.pid}`
}

/**
 * Makes room at `path`: creates the directory, removes the socket file of a director that is gone. Throws a
 * SocketPathError where another process listens, where something else than a socket stands (never deleted), or where
 * the file system refuses.
 */
export async function clearSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(temporaryPath(path)) > longestPath) {
    const most = longestPath - (Buffer.byteLength(temporaryPath(path)) - Buffer.byteLength(path))
    throw new SocketPathError('failed', `control socket path ${path} is too long: at most ${most} bytes`)
  }
  await makeParent(path)
  await rm(temporaryPath(path), { force: true })
  const found = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined
    throw failed(path, error)
  })
  if (found === undefined) return
  if (!found.isSocket()) {
    throw new SocketPathError('occupied', `${path} exists and is not a socket: not touching it`)
  }
  if (await somebodyListens(path)) throw taken(path)
  await removeStale(path, found.ino)
}

/** The parent directory, 0755, where it is missing. */
async function makeParent(path: string): Promise<void> {
  const parent = dirname(path)
  try {
    await mkdir(parent, { recursive: true, mode: 0o755 })
  } catch (error) {
    throw failed(path, error)
  }
  if (!(await stat(parent)).isDirectory()) throw failed(path, new Error(`${parent} is not a directory`))
}

/** Whether a process accepts connections at `path`. A full backlog (EAGAIN) is a living one too. */
function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      const code = errorCode(error)
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false)
      else if (code === 'EAGAIN') resolve(true)
      else reject(failed(path, error))
    })
  })
}

/**
 * Two directors starting at once may both have found the same dead socket; the slower must not remove the socket the
 * faster has made meanwhile. So the file is first moved aside, looked at, and put back if it is another.
 */
async function removeStale(path: string, inode: number): Promise<void> {
  const aside = temporaryPath(path)
  try {
    await rename(path, aside)
    const moved = await lstat(aside)
    if (moved.ino !== inode) {
      await link(aside, path)
      throw taken(path)
    }
    await unlink(aside)
  } catch (error) {
    if (error instanceof SocketPathError) throw error
    if (errorCode(error) !== 'ENOENT') throw failed(path, error)
  }
}

/** Gives the bound and prepared socket its name, in one step, and never over another's. */
export async function publishSocket(path: string): Promise<void> {
  const temporary = temporaryPath(path)
  try {
    await link(temporary, path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST') throw taken(path)
    // File systems without hard links: rename replaces whatever is there, which clearSocketPath has just looked at.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw failed(path, error)
    await rename(temporary, path)
    return
  }
  await unlink(temporary)
}

/** Removes the socket at `path` if it is still the one with this inode. Nothing there is fine. */
export async function removeSocket(path: string, inode: number): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isSocket() === true && found.ino === inode) await rm(path, { force: true })
}

function taken(path: string): SocketPathError {
  return new SocketPathError('taken', `another director is running: it listens on ${path}`)
}

function failed(path: string, error: unknown): SocketPathError {
  return new SocketPathError('failed', `cannot make the control socket ${path}: ${describeError(error)}`, error)
}

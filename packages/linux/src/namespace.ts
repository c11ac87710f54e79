import { KernelError } from '@ipvs-director/core'
import { closeSync, openSync } from 'node:fs'
import { errnoName } from './netlink/errno.ts'
import { setns } from './native.ts'

const CLONE_NEWNET = 0x4000_0000

/** Where a network namespace is found: a name as `ip netns` knows it, or a path such as `/proc/1234/ns/net`. */
export function namespacePath(nameOrPath: string): string {
  return nameOrPath.includes('/') ? nameOrPath : `/run/netns/${nameOrPath}`
}

/**
 * Moves the calling thread into a network namespace. Sockets that are open stay where they were made. Call it before
 * anything starts the thread pool: its threads would stay behind. Throws a KernelError.
 */
export function enterNamespace(nameOrPath: string): void {
  const tried = `cannot enter network namespace ${nameOrPath}`
  let fd: number | undefined
  try {
    fd = openSync(namespacePath(nameOrPath), 'r')
    setns(fd, CLONE_NEWNET)
  } catch (error) {
    throw asKernelError(tried, error)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

/**
 * Runs `action` in a network namespace and comes back: sockets it opens are that namespace's for good. It must not be
 * asynchronous, as everything else of the thread would be there with it. Throws a KernelError, or what `action` throws.
 */
export function withinNamespace<T>(nameOrPath: string, action: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r')
  try {
    enterNamespace(nameOrPath)
    try {
      return action()
    } finally {
      setns(home, CLONE_NEWNET)
    }
  } finally {
    closeSync(home)
  }
}

/** A system call's error with what was tried; other errors stay what they are. */
function asKernelError(tried: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return error
  const errno = -error.errno
  return new KernelError(tried, { errno, code: errnoName(errno) }, error)
}

import { closeSync, openSync } from 'node:fs'
import { setns } from '@ipvs-director/linux'
import type { Host } from './host.ts'

const CLONE_NEWNET = 0x40000000

let turn: Promise<unknown> = Promise.resolve()

/**
 * Runs `open` with this thread in a host's network namespace: a socket opened meanwhile belongs to that host for good,
 * with all it accepts. So a test keeps its servers and its long connections in its own process, which costs nothing,
 * where a Node process of their own would take a second to start in user-mode Linux. One at a time; `open` must end.
 */
export function insideNamespace<T>(host: Host, open: () => Promise<T>): Promise<T> {
  const result = turn.then(() => moved(`/run/netns/${host.namespace}`, open))
  turn = result.catch(() => undefined)
  return result
}

async function moved<T>(namespace: string, open: () => Promise<T>): Promise<T> {
  const home = openSync('/proc/thread-self/ns/net', 'r')
  const there = openSync(namespace, 'r')
  try {
    setns(there, CLONE_NEWNET)
    return await open()
  } finally {
    setns(home, CLONE_NEWNET)
    closeSync(there)
    closeSync(home)
  }
}

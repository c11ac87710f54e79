import type { Config, VirtualServer } from '@ipvs-director/config'
import { inSlices } from '@ipvs-director/core'
import { Worker } from 'node:worker_threads'
import type { Loaded } from './director-options.ts'
import { fingerprint, setFingerprint } from './fingerprint.ts'
import type { ReadOptions } from './load.ts'

/**
 * What the thread sends: everything but the virtual servers, then the fingerprint of each of these, then those that were
 * asked for, in portions, then the end.
 */
export type FromLoader =
  | { readonly head: Loaded }
  | { readonly prints: readonly string[] }
  | { readonly servers: readonly VirtualServer[] }
  | 'end'

/** The places, in the order of the fingerprints, of virtual servers that are not known here. */
export interface ToLoader {
  readonly wanted: readonly number[]
}

/**
 * Reads a configuration in a thread of its own: reading a hundred thousand real servers takes half a second, in which
 * nobody else would be served. Virtual servers that are equal to one of `known` are not sent over: they are that one.
 */
export function loadAside(
  entry: string,
  file: string,
  options: ReadOptions,
  known: readonly VirtualServer[],
): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry, { workerData: { file, options } })
    const printed = byPrint(known)
    let head: Loaded | undefined
    let prints: readonly string[] = []
    const sent: VirtualServer[] = []
    let ended = false
    worker.on('message', (message: FromLoader) => {
      if (message === 'end') {
        ended = true
        void finish().catch(reject)
      } else if ('head' in message) head = message.head
      else if ('prints' in message) void choose(message.prints).catch(reject)
      else sent.push(...message.servers)
    })
    worker.on('error', reject)
    worker.on('exit', () => {
      if (!ended) reject(new Error(`reading ${file} ended early`))
    })

    async function choose(all: readonly string[]): Promise<void> {
      prints = all
      const mine = await printed
      const wanted = prints.flatMap((print, i) => (mine.has(print) ? [] : [i]))
      worker.postMessage({ wanted } satisfies ToLoader)
    }

    async function finish(): Promise<void> {
      if (head === undefined) throw new Error(`reading ${file} ended early`)
      const mine = await printed
      const fresh = sent.values()
      const virtualServers: VirtualServer[] = []
      for (const print of prints) {
        const virtual = mine.get(print) ?? fresh.next().value
        if (virtual === undefined) throw new Error(`reading ${file} ended early`)
        setFingerprint(virtual, print)
        virtualServers.push(virtual)
      }
      resolve(whole(head, virtualServers))
    }
  })
}

/** While the thread reads, the main one takes the fingerprints of what it has. */
async function byPrint(known: readonly VirtualServer[]): Promise<ReadonlyMap<string, VirtualServer>> {
  const found = new Map<string, VirtualServer>()
  await inSlices(known, (virtual) => {
    found.set(fingerprint(virtual), virtual)
  })
  return found
}

function whole(loaded: Loaded, virtualServers: readonly VirtualServer[]): Loaded {
  if (loaded.config === undefined) return loaded
  const config: Config = { ...loaded.config, virtualServers }
  return { ...loaded, config }
}

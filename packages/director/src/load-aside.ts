import type { Config, VirtualServer } from '@ipvs-director/config'
import { Worker } from 'node:worker_threads'
import type { Loaded } from './director.ts'
import type { ReadOptions } from './load.ts'

/** First everything but the virtual servers, then these in portions, then the end. */
export type FromLoader = Loaded | readonly VirtualServer[] | 'end'

/**
 * Reads a configuration in a thread of its own: reading a hundred thousand real servers takes half a second, in which
 * nobody else would be served.
 */
export function loadAside(entry: string, file: string, options: ReadOptions): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry, { workerData: { file, options } })
    let loaded: Loaded | undefined
    const virtualServers: VirtualServer[] = []
    worker.on('message', (message: FromLoader) => {
      if (message === 'end') {
        if (loaded !== undefined) resolve(whole(loaded, virtualServers))
      } else if (isPortion(message)) virtualServers.push(...message)
      else loaded = message
    })
    worker.on('error', reject)
    worker.on('exit', () => {
      reject(new Error(`reading ${file} ended early`))
    })
  })
}

const isPortion = (message: Loaded | readonly VirtualServer[]): message is readonly VirtualServer[] =>
  Array.isArray(message)

function whole(loaded: Loaded, virtualServers: readonly VirtualServer[]): Loaded {
  if (loaded.config === undefined) return loaded
  const config: Config = { ...loaded.config, virtualServers }
  return { ...loaded, config }
}

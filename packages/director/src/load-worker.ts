import { parentPort, workerData } from 'node:worker_threads'
import { fingerprint } from './fingerprint.ts'
import { loadFile, type ReadOptions } from './load.ts'
import type { FromLoader, ToLoader } from './load-aside.ts'

/** Virtual servers of one message: received in well under the 20 ms that a reload may hold others up. */
const portion = 100

const { file, options } = workerData as { readonly file: string; readonly options: ReadOptions }
const { config, diagnostics, errors, warnings, leftOut, blank } = await loadFile(file, options)
const servers = config?.virtualServers ?? []
const send = (message: FromLoader): void => parentPort?.postMessage(message)

parentPort?.once('message', ({ wanted }: ToLoader) => {
  for (let i = 0; i < wanted.length; i += portion) {
    send({ servers: wanted.slice(i, i + portion).flatMap((at) => servers[at] ?? []) })
  }
  send('end')
})
const bare = config === undefined ? undefined : { ...config, virtualServers: [] }
send({ head: { config: bare, diagnostics, errors, warnings, leftOut, blank } })
send({ prints: servers.map(fingerprint) })

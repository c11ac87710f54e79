import { parentPort, workerData } from 'node:worker_threads'
import { loadFile, type ReadOptions } from './load.ts'
import type { FromLoader } from './load-aside.ts'

/** Virtual servers of one message: received in well under the 20 ms that a reload may hold others up. */
const portion = 100

const { file, options } = workerData as { readonly file: string; readonly options: ReadOptions }
const { config, diagnostics, errors } = await loadFile(file, options)
const send = (message: FromLoader): void => parentPort?.postMessage(message)
send({ config: config === undefined ? undefined : { ...config, virtualServers: [] }, diagnostics, errors })
const servers = config?.virtualServers ?? []
for (let i = 0; i < servers.length; i += portion) send(servers.slice(i, i + portion))
send('end')

import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { seconds, type Millis } from '@ipvs-director/core'
import type { ServerStatus, Status } from '@ipvs-director/control'
import type { LabProcess, StartOptions } from '../process.ts'
import { root } from '../root.ts'
import { until } from '../until.ts'

/** Where programs run: a host of the lab, or this machine. */
export interface Place {
  spawn(command: readonly string[], options?: StartOptions): LabProcess
  output(command: readonly string[]): Promise<string>
}

/** A director that the walk has started. */
export interface DemoDirector {
  readonly process: LabProcess
  /** The control socket. */
  readonly socket: string
  /** The screen of `ipvs-ctl status`. */
  screen(): Promise<string>
  status(): Promise<Status>
  /** Waits until every entry of a real server is as asked; resolves with how long that took. */
  untilServer(address: string, wanted: (server: ServerStatus) => boolean): Promise<Millis>
}

const program = (name: string): string => join(root, 'build', `${name}.js`)

/** Starts the built director on a file (below the checkout, or with its full path) and waits until it is at work. `state` is an empty folder for its socket. */
export async function startDemoDirector(
  place: Place,
  file: string,
  state: string,
  ...options: readonly string[]
): Promise<DemoDirector> {
  const socket = join(state, 'control.sock')
  const node = [process.execPath, '--enable-source-maps']
  const words = ['-n', '-l', '-f', file, '--state-dir', state, '--probers', '1', ...options]
  const started = place.spawn([...node, program('ipvs-director'), ...words], { cwd: root })
  await started.says(/Startup complete/, seconds(30))
  await until('the director opens its control socket', seconds(10), () => existsSync(socket))
  const status = async (): Promise<Status> => JSON.parse(await get(socket, '/v1/status')) as Status
  return {
    process: started,
    socket,
    status,
    screen: () => place.output([...node, program('ipvs-ctl'), 'status', '--socket', socket]),
    untilServer: (address, wanted) =>
      until(`${address} is as it should be`, seconds(30), async () => {
        const { virtualServers } = await status()
        const found = virtualServers.flatMap(({ servers }) => servers.filter(({ name }) => name.includes(address)))
        return found.length > 0 && found.every(wanted)
      }),
  }
}

/** Up by its checks, and in the kernel's table with weight. */
export const isServing = (server: ServerStatus): boolean => server.state === 'up' && (server.kernelWeight ?? 0) > 0

/** Down by its checks, and out of the kernel's table. */
export const isOut = (server: ServerStatus): boolean => server.state === 'down' && server.kernelWeight === undefined

/** A UNIX socket is reached from every network namespace. */
function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      text(response).then(resolve, reject)
    })
      .once('error', reject)
      .end()
  })
}

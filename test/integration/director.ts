import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import type { ReloadResult, ServerStatus, Status } from '@ipvs-director/control'
import { until, type Host, type LabProcess, type Result } from '../lab/index.ts'
import { root } from '../lab/root.ts'

const build = join(root, 'build')

/** The built program, to be run in a host. */
export const directorCommand = ['node', join(build, 'ipvs-director.js'), '-n', '-l'] as const

/** A director that runs in a lab's host, as its user would run it: the built program and a file. */
export interface RunningDirector {
  readonly process: LabProcess
  readonly file: string
  /** Writes the configuration anew; nothing is read before a reload. */
  write(config: string): void
  /** Changes what is written. */
  change(edit: (config: string) => string): void
  ctl(...args: string[]): Promise<Result>
  status(): Promise<Status>
  /** One server's state in the first virtual server, or in the named one. */
  server(name: string, service?: string): Promise<ServerStatus | undefined>
  reload(): Promise<ReloadResult>
  /** Ends it without a chance to clean up; its probers end by themselves. */
  kill(): Promise<void>
}

/** Starts the built director in a host and waits until the kernel's table is as the file wants it. */
export async function startDirector(host: Host, config: string, ...options: string[]): Promise<RunningDirector> {
  if (!existsSync(directorCommand[1])) throw new Error(`${directorCommand[1]} is not there: npm run build first`)
  const file = host.writeFile('keepalived.conf', config)
  const state = join(host.folder, 'state')
  const socket = join(state, 'control.sock')
  const process = host.spawn([...directorCommand, ...['-f', file, '--state-dir', state, '--probers', '1', ...options]])
  await process.says(/Startup complete/, seconds(20))
  await until('the control socket is there', seconds(20), () => existsSync(socket))
  const ctl = (...args: string[]): Promise<Result> =>
    host.run(['node', join(build, 'ipvs-ctl.js'), ...args, '--socket', socket])
  const status = async (): Promise<Status> => JSON.parse(await http(host, socket, 'GET', '/v1/status')) as Status
  return {
    process,
    file,
    ctl,
    status,
    write: (text) => void host.writeFile('keepalived.conf', text),
    change: (edit) => void host.writeFile('keepalived.conf', edit(readFileSync(file, 'utf8'))),
    async server(name, service) {
      const { virtualServers } = await status()
      const virtual = virtualServers.find((each) => service === undefined || each.name === service)
      return virtual?.servers.find((each) => each.name === name)
    },
    reload: async () => JSON.parse(await http(host, socket, 'POST', '/v1/reload')) as ReloadResult,
    async kill() {
      process.signal('SIGKILL')
      await process.ended
    },
  }
}

/** By curl, as the README says it works; it also starts ten times faster than node in the lab. */
function http(host: Host, socket: string, method: string, path: string): Promise<string> {
  return host.output(['curl', '-sS', '-m', '10', '-X', method, '--unix-socket', socket, `http://director${path}`])
}

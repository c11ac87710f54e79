import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import type { Host } from '../host.ts'
import { insideNamespace } from '../namespace.ts'
import type { LabProcess } from '../process.ts'
import { findProgram } from '../tools.ts'
import { until } from '../until.ts'

/** Starts Debian's Apache httpd in a host on port 80, answering `/` with the host's name, and waits until it listens. */
export async function startApache(host: Host): Promise<LabProcess> {
  const program = findProgram('apache2')
  if (program === undefined) throw new Error("Debian's apache2 is not there")
  const modules = join(dirname(realpathSync(program)), '../lib/apache2/modules')
  // Its workers are nobody's, who may not enter the lab's own folders.
  const folder = mkdtempSync('/run/apache-')
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'pages'))
  writeFileSync(join(folder, 'pages/index.html'), `${host.name}\n`)
  const lines = [
    `ServerRoot ${folder}`,
    'ServerName lab',
    'Listen 0.0.0.0:80',
    'PidFile pid',
    'Mutex pthread',
    ...['mpm_event', 'authz_core', 'dir'].map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`),
    'User nobody',
    'Group nogroup',
    'StartServers 1',
    'ServerLimit 2',
    'ThreadsPerChild 4',
    'MaxRequestWorkers 8',
    'MinSpareThreads 1',
    'MaxSpareThreads 8',
    'ErrorLog error.log',
    `DocumentRoot ${folder}/pages`,
    'DirectoryIndex index.html',
  ]
  writeFileSync(join(folder, 'conf'), `${lines.join('\n')}\n`)
  const apache = host.spawn([program, '-d', folder, '-f', join(folder, 'conf'), '-DFOREGROUND'])
  void apache.ended.then(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  await until(`Apache listens on ${host.name}`, seconds(20), () => {
    if (apache.code !== undefined) throw new Error(apache.stderr)
    return answers(host, 80)
  })
  return apache
}

/** Whether somebody listens on a port of a host. */
export const answers = (host: Host, port: number): Promise<boolean> =>
  insideNamespace(
    host,
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ host: '127.0.0.1', port })
        const tell = (yes: boolean) => () => {
          socket.destroy()
          resolve(yes)
        }
        socket.once('connect', tell(true)).once('error', tell(false))
      }),
  )

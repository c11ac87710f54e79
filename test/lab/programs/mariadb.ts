import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import type { Host } from '../host.ts'
import type { LabProcess } from '../process.ts'
import { findProgram } from '../tools.ts'
import { until } from '../until.ts'
import { answers } from './apache.ts'

/**
 * Starts Debian's MariaDB in a host on port 3306 and waits until it listens. It has no tables and no accounts, so that it
 * needs no installation: whoever connects may ask `select @@server_id`.
 */
export async function startMariadb(host: Host, serverId: number): Promise<LabProcess> {
  const program = findProgram('mariadbd')
  if (program === undefined) throw new Error("Debian's mariadbd is not there")
  const folder = (name: string): string => {
    const path = join(host.folder, 'mariadb', name)
    mkdirSync(path, { recursive: true })
    return path
  }
  const mariadb = host.spawn([
    program,
    '--no-defaults',
    `--datadir=${folder('data')}`,
    `--tmpdir=${folder('tmp')}`,
    `--lc-messages-dir=${join(dirname(program), '../share/mysql')}`,
    `--socket=${folder('run')}/socket`,
    `--pid-file=${folder('run')}/pid`,
    '--skip-grant-tables',
    '--skip-innodb',
    '--default-storage-engine=Aria',
    '--skip-name-resolve',
    '--skip-log-bin',
    '--user=root',
    `--server-id=${serverId}`,
  ])
  await until(`MariaDB listens on ${host.name}`, seconds(30), () => {
    if (mariadb.code !== undefined) throw new Error(mariadb.stderr)
    return answers(host, 3306)
  })
  return mariadb
}

/** `select @@server_id` by Debian's client over TCP; undefined when nobody answers. */
export async function askServerId(client: Host, address: string): Promise<number | undefined> {
  const program = findProgram('mariadb') ?? 'mariadb'
  const options = ['--no-defaults', '--protocol=TCP', '-h', address, '-u', 'root', '--connect-timeout=2', '-N']
  const { code, stdout } = await client.run([program, ...options, '-e', 'select @@server_id'])
  return code === 0 ? Number(stdout.trim()) : undefined
}

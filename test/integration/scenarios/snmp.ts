import { join } from 'node:path'
import { mkdirSync } from 'node:fs'
import { findProgram } from '../../lab/tools.ts'
import type { Host } from '../../lab/index.ts'

/** Debian's snmpd as the master agent of a host, and its snmptrapd, to which it sends what it hears. */
export interface SnmpOfHost {
  /** For `-A`. */
  readonly agent: string
  /** The traps so far, a line each with numbers only. */
  traps(): string
  stop(): Promise<void>
}

export async function startSnmp(host: Host): Promise<SnmpOfHost> {
  const agent = join(host.folder, 'master')
  const persistent = join(host.folder, 'snmp')
  mkdirSync(persistent, { recursive: true })
  const env = { MIBS: '', LC_ALL: 'C', SNMP_PERSISTENT_DIR: persistent }
  const catcher = host.writeFile('snmptrapd.conf', 'disableAuthorization yes\nformat2 %V\\t%v\\n\n')
  const port = 'udp:127.0.0.1:1162'
  const trapd = host.spawn([findProgram('snmptrapd') ?? '', '-f', '-n', '-On', '-Lo', '-C', '-c', catcher, port], {
    env,
  })
  const lines = ['master agentx', `agentXSocket ${agent}`, 'rocommunity public 127.0.0.1', 'trap2sink 127.0.0.1:1162 public'] // prettier-ignore
  const file = host.writeFile('snmpd.conf', `${lines.join('\n')}\n`)
  const snmpd = host.spawn([findProgram('snmpd') ?? '', '-f', '-Lo', '-C', '-c', file, 'udp:127.0.0.1:1161'], { env })
  await trapd.says(/NET-SNMP version/)
  await snmpd.says(/NET-SNMP version/)
  return {
    agent,
    traps: () => trapd.stdout,
    async stop() {
      await snmpd.stop()
      await trapd.stop()
    },
  }
}

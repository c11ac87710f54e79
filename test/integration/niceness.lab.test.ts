/** `nice`, a unit's `Nice=`: what the program was started with stays, unless the file wishes another for a process. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import type { Status } from '@ipvs-director/control'
import { afterAll, afterEach, beforeAll, test } from 'vitest'
import { dr, until, upLab, type Lab, type LabProcess, type StandardHost } from '../lab/index.ts'
import { directorCommand } from './director.ts'

const config = (globals: string): string => `global_defs {
    ${globals}
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 71
    virtual_ipaddress {
        10.1.0.150/24
    }
}
virtual_server ${dr().vip} 7 {
    lb_kind DR
    real_server 10.1.0.11 7 { TCP_CHECK { } }
}
`

let lab: Lab<StandardHost>
let director: LabProcess | undefined
beforeAll(async () => {
  lab = await upLab(dr())
})
afterEach(async () => {
  await director?.stop('SIGTERM', seconds(30))
})
afterAll(() => lab.down())

/** proc(5): the 19th field of stat. */
const niceness = (pid: number | undefined): number =>
  Number(
    readFileSync(`/proc/${pid ?? 0}/stat`, 'latin1')
      .split(') ')[1]
      ?.split(' ')[16],
  )

test.for([
  ['no wish', '', { director: 5, prober: 5, vrrp: 5 }],
  ['checker_priority', 'checker_priority 9', { director: 9, prober: 9, vrrp: 5 }],
  ['vrrp_priority', 'vrrp_priority -3', { director: 5, prober: 5, vrrp: -3 }],
] as const)('started with 5: %s', { timeout: 120_000 }, async ([, globals, wanted]) => {
  const host = lab.hosts.director
  const state = join(host.folder, 'state')
  const file = host.writeFile('keepalived.conf', config(globals))
  director = host.spawn(['nice', '-n', '5', ...directorCommand, '-f', file, '--state-dir', state, '--probers', '1'])
  await director.says(/Startup complete/, seconds(60))
  const asked = ['curl', '-sS', '-m', '20', '--unix-socket', join(state, 'control.sock'), 'http://director/v1/status']
  let seen: unknown
  await until(
    'every process has its own',
    seconds(60),
    async () => {
      const { code, stdout } = await host.run(asked)
      if (code !== 0) return false
      const { pid, probers, vrrp } = JSON.parse(stdout) as Status
      if (probers[0]?.pid === undefined || vrrp === undefined) return false
      seen = { director: niceness(pid), prober: niceness(probers[0].pid), vrrp: niceness(vrrp.pid) }
      return JSON.stringify(seen) === JSON.stringify(wanted)
    },
    () => JSON.stringify(seen),
  )
})

/**
 * What the documents tell people to type is typed, on a director, a real server and a client. /etc and /run are others in
 * there, so that the commands stand as they are and the machine stays as it is.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dr, root, serveHttp, until, upLab, type HttpServer, type Lab, type LabProcess, type LabSpec, type Result, type StandardHost } from '../lab/index.ts' // prettier-ignore
import { documentedCommands, treatmentOf, type Place } from './documents.ts'

const config = `vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 11
    priority 150
    advert_int 1
    virtual_ipaddress {
        10.1.0.100/24
    }
}
virtual_server 10.1.0.100 80 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.1.0.11 80 { TCP_CHECK { } }
    real_server 10.1.0.12 80 { TCP_CHECK { } }
}
virtual_server 192.0.2.1 80 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.1.0.12 80 { TCP_CHECK { } }
}
`
const newService = `virtual_server 192.0.2.10 80 {
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 10.1.0.12 80 { TCP_CHECK { } }
}
`
const ldirectord = 'virtual=192.0.2.1:80\n\treal=10.1.0.12:80 gate\n\tservice=http\n\tchecktype=connect\n'

const usual = dr()
const spec: LabSpec<StandardHost> = {
  ...usual,
  modules: ['ipip'],
  hosts: {
    ...usual.hosts,
    // The networks of the other guides, as far as their commands want them.
    rs1: { ...usual.hosts.rs1, ip: [...(usual.hosts.rs1.ip ?? []), 'addr add 10.2.0.11/24 dev eth0', 'addr add 10.3.1.11/24 dev eth0'] }, // prettier-ignore
  },
}

let lab: Lab<StandardHost>
let folder = ''
let director: LabProcess | undefined
const webs: HttpServer[] = []

/** The command as it stands, with the places it speaks of, and our programs in the path. */
function typed(command: string): string[] {
  const script = `mount --bind ${folder} /mnt && for f in etc run var/lib; do mount --bind /mnt/$f /$f; done && cd /mnt && PATH=/mnt/bin:$PATH && ${command}`
  return ['unshare', '--mount', 'sh', '-c', script]
}

const type = (on: Place, command: string): Promise<Result> =>
  lab.hosts[on].run(typed(command), { timeout: seconds(120) })

async function startDirector(): Promise<void> {
  if (director !== undefined && director.code === undefined) return
  director = lab.hosts.director.spawn(typed('exec ipvs-director -n -l --probers 1'))
  await director.says(/Startup complete/, seconds(60))
  await until('it answers', seconds(60), async () => (await type('director', 'ipvs-ctl version')).code === 0)
}

beforeAll(async () => {
  lab = await upLab(spec)
  const host = lab.hosts.director
  folder = host.folder
  for (const name of ['run/tmp', 'var/lib', 'bin']) mkdirSync(join(folder, name), { recursive: true })
  await host.output(['cp', '-a', '/etc', join(folder, 'etc')], { timeout: seconds(120) })
  host.writeFile('etc/keepalived/keepalived.conf', config)
  host.writeFile('etc/keepalived/mail-password', 'secret\n')
  host.writeFile('etc/ha.d/ldirectord.cf', ldirectord)
  host.writeFile('new-service.conf', newService)
  for (const name of ['ipvs-ctl', 'ipvs-director'])
    host.writeFile(`bin/${name}`, `#!/bin/sh\nexec ${process.execPath} ${join(root, `build/${name}.js`)} "$@"\n`, 0o755)
  for (const name of ['rs1', 'rs2', 'rs3'] as const) webs.push(await serveHttp(lab.hosts[name]))
  await startDirector()
}, 240_000)

afterAll(async () => {
  await director?.stop()
  for (const web of webs) await web.close()
  await lab.down()
})

test('every command of the documents is run, but for those that cannot be', { timeout: 900_000 }, async () => {
  const looked = new Set<string>()
  const left = new Map<string, string[]>()
  const wrong: string[] = []
  let ran = 0
  for (const command of documentedCommands) {
    const treatment = treatmentOf(command)
    if (treatment.do === 'not') {
      left.set(treatment.why, [...(left.get(treatment.why) ?? []), command.text])
      continue
    }
    if (treatment.do === 'start') {
      await startDirector()
      continue
    }
    // A translation says the same once more.
    const known = treatment.do === 'look' || command.file.endsWith('.zh.md')
    if (known && looked.has(command.text)) continue
    looked.add(command.text)
    const endless = treatment.code.includes(124)
    const text = command.text.replace(/^node build\//, `node ${root}/build/`)
    const { code, stdout, stderr } = await type(treatment.on, endless ? `timeout -s INT 4 ${text} || exit 124` : text)
    ran++
    if (!treatment.code.includes(endless && code === 0 ? 124 : code))
      wrong.push(`${command.file}: ${command.text}: ${code}\n${(stdout + stderr).slice(-600)}`)
    if (/ stop /.test(command.text)) await director?.ended
    if (/reload --confirm/.test(command.text)) await type('director', 'ipvs-ctl status')
  }
  const untested = [...left].map(
    ([why, commands]) => `  ${commands.length}: ${why}: ${[...new Set(commands)].join('; ')}`,
  )
  console.log(`documents: ${documentedCommands.length} commands, ${ran} run; not run:\n${untested.join('\n')}`)
  expect(wrong).toEqual([])
  expect(ran).toBeGreaterThan(60)
})

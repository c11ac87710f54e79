/**
 * `--compare` beside a live keepalived on the same machine with the same file: what fails is seen alike by both, and
 * nothing is reported; what keepalived would not have done is reported, with the reason.
 */
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import type { CompareStatus } from '@ipvs-director/control'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveHttp, serveTcp, until, upLab, weightsOf, witnessTable, type HttpServer, type Lab, type LabProcess, type TcpServer } from '../lab/index.ts' // prettier-ignore
import { startDirector, type RunningDirector } from './director.ts'
import { addressesOf } from './vrrp.ts'

const spec = {
  networks: ['lan'],
  hosts: {
    box: { links: { lan: ['10.79.0.1/24'] } },
    web: { links: { lan: [11, 12, 13, 14, 31].map((n) => `10.79.0.${n}/24`) } },
  },
} as const
const vip = '10.79.0.100:80'
const server = (n: number): string => `10.79.0.${n}:80`
const timing = 'connect_timeout 1\n retry 1\n delay_before_retry 1'

const configOf = (script: string, more = ''): string => `global_defs {
  script_user root
}
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 7
  priority 150
  advert_int 1
  virtual_ipaddress {
    10.79.0.100/24
  }
}
virtual_server 10.79.0.100 80 {
  delay_loop 1
  warmup 0
  lb_algo wrr
  lb_kind NAT
  protocol TCP
  quorum 20
  sorry_server 10.79.0.31 80
  real_server 10.79.0.11 80 {
    weight 11
    TCP_CHECK {
      ${timing}
    }
  }
  real_server 10.79.0.12 80 {
    weight 12
    HTTP_GET {
      url {
        path /
        status_code 200
      }
      ${timing}
    }
  }
  real_server 10.79.0.13 80 {
    weight 13
    ${more}
    MISC_CHECK {
      misc_path "/bin/sh ${script}"
      misc_dynamic
      misc_timeout 5
    }
  }
}
`

let lab: Lab<'box' | 'web'>
let ours: RunningDirector
let keepalived: LabProcess
let tcp: TcpServer
let http: HttpServer
let script = ''

const openTcp = (): Promise<TcpServer> =>
  serveTcp(lab.hosts.web, { port: 80, address: '10.79.0.11', connection: (socket) => socket.end() })

beforeAll(async () => {
  lab = await upLab(spec)
  const { box, web } = lab.hosts
  tcp = await openTcp()
  http = await serveHttp(web, { address: '10.79.0.12' })
  script = web.writeFile('misc.sh', 'exit 0\n')
  const file = box.writeFile('theirs.conf', configOf(script))
  const pids = ['p', 'c', 'r'].flatMap((flag) => [`-${flag}`, join(box.folder, `${flag}.pid`)])
  keepalived = box.spawn(['keepalived', '-n', '-l', '-f', file, ...pids])
  await until('keepalived has made its table', seconds(20), async () => (await table())?.[server(13)] === 13)
  ours = await startDirector(box, configOf(script), '--compare')
}, 60_000)

afterAll(async () => {
  await ours.process.stop()
  await keepalived.stop()
  tcp.close('reset')
  await http.close()
  await lab.down()
})

const table = async (): Promise<Record<string, number> | undefined> => weightsOf(await witnessTable(lab.hosts.box), vip)

async function comparing(): Promise<CompareStatus> {
  const { comparing: found } = await ours.status()
  if (found === undefined) throw new Error('it does not compare')
  return found
}

/** Both are of one mind: keepalived's table is as told, and so is what we would have. */
async function bothAgree(what: string, expected: Record<string, number>): Promise<void> {
  const state = { theirs: {}, ours: {} }
  await until(
    what,
    seconds(30),
    async () => {
      state.theirs = (await table()) ?? {}
      const { virtualServers } = await ours.status()
      const [service] = virtualServers
      const entries = [
        ...(service?.servers ?? []),
        ...(service?.sorryServer === undefined ? [] : [service.sorryServer]),
      ]
      state.ours = Object.fromEntries(
        entries.flatMap(({ name, wantedWeight }) => (wantedWeight === undefined ? [] : [[name, wantedWeight]])),
      )
      return [state.theirs, state.ours].every((each) => sorted(each) === sorted(expected))
    },
    () => JSON.stringify(state),
  )
}
const sorted = (weights: Record<string, number>): string => JSON.stringify(Object.entries(weights).sort())

test('the same failures are seen by both, and no difference is reported', { timeout: 180_000 }, async () => {
  const all = { [server(11)]: 11, [server(12)]: 12, [server(13)]: 13 }
  await bothAgree('all are up', all)
  tcp.close('reset')
  await bothAgree('a port is closed', { [server(12)]: 12, [server(13)]: 13 })
  lab.hosts.web.writeFile('misc.sh', 'exit 22\n')
  await bothAgree('a script asks for a weight', { [server(12)]: 12, [server(13)]: 20 })
  http.answer = 'hang'
  await bothAgree('one hangs', { [server(13)]: 20 })
  lab.hosts.web.writeFile('misc.sh', 'exit 1\n')
  await bothAgree('the quorum is lost', { [server(31)]: 1 })
  tcp = await openTcp()
  http.answer = {}
  lab.hosts.web.writeFile('misc.sh', 'exit 0\n')
  await bothAgree('all are back', all)
  const { counted, looks, open } = await comparing()
  expect({ counted, open }).toEqual({ counted: 0, open: [] })
  expect(looks).toBeGreaterThan(5)
})

test('nothing is written, and VRRP is not taken part in', async () => {
  const { kernel, vrrp } = await ours.status()
  expect(kernel.writes).toBe(0)
  expect(vrrp).toBeUndefined()
  expect(await addressesOf(lab.hosts.box)).toContain('10.79.0.100/24')
  expect(await lab.hosts.box.output(['ps', '-eo', 'args'])).not.toContain('build/vrrp.js')
  expect(ours.process.stdout + ours.process.stderr).toContain('takes no part in VRRP')
})

test('what keepalived would not have done is reported, and its end, too', { timeout: 120_000 }, async () => {
  await lab.hosts.box.output(['ipvsadm', '-e', '-t', vip, '-r', server(11), '-m', '-w', '5'])
  await until('the changed weight counts', seconds(30), async () => (await comparing()).open.length > 0)
  expect((await comparing()).open).toMatchObject([{ server: server(11), kernel: 'weight 5', ours: 'weight 11' }])
  const drift = await ours.ctl('drift', '--exit-code')
  expect(drift.stdout.replace(/\s+/g, ' ')).toContain(
    'the kernel has weight 5, we would have weight 11: its checks pass',
  )
  expect(drift.code).toBe(6)
  expect((await ours.ctl('status')).stdout).toContain('COMPARING for')
  await lab.hosts.box.output(['ipvsadm', '-e', '-t', vip, '-r', server(11), '-m', '-w', '11'])
  await until('it is over', seconds(20), async () => (await comparing()).open.length === 0)
})

test('a keyword that keepalived does not know makes a difference', { timeout: 120_000 }, async () => {
  ours.write(configOf(script, 'degraded_weight 2'))
  expect(await ours.reload()).toMatchObject({ ok: true })
  lab.hosts.web.writeFile('misc.sh', 'exit 1\n')
  await until('the difference counts', seconds(40), async () => (await comparing()).open.length > 0)
  expect((await comparing()).open).toMatchObject([{ server: server(13), kernel: 'no entry', ours: 'weight 2' }])
  await ours.process.stop()
  expect(ours.process.stdout + ours.process.stderr).toMatch(
    /Compared for .*2 differences counted, 1 of them still there/,
  )
  expect((await table())?.[server(11)]).toBe(11)
})

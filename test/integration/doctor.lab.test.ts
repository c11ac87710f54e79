/** `ipvs-ctl doctor` on machines that are right, and on machines that are wrong on purpose. */
import type { Diagnosis } from '@ipvs-director/control'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  dr,
  root,
  serveHttp,
  tun,
  upLab,
  witnessTable,
  type Host,
  type HttpServer,
  type Lab,
  type StandardHost,
} from '../lab/index.ts'

const { vip, vip6, servers } = dr()

const config = (method: string): string => `virtual_server ${vip} 80 {
    delay_loop 1
    lb_algo rr
    lb_kind ${method}
    protocol TCP
    real_server ${servers[0]} 80 { TCP_CHECK { } }
}
`

let lab: Lab<StandardHost>
let web: HttpServer

beforeAll(async () => {
  lab = await upLab(dr())
  web = await serveHttp(lab.hosts.rs1)
  await lab.hosts.director.output(['ipvsadm', '-C']) // loads ip_vs and its settings
})
afterAll(async () => {
  await web.close()
  await lab.down()
})

async function doctor(
  host: Host,
  ...words: string[]
): Promise<{ code: number | null; told: Diagnosis; wrong: string[] }> {
  const { code, stdout, stderr } = await host.run([
    'node',
    join(root, 'build/ipvs-ctl.js'),
    'doctor',
    '--json',
    ...words,
  ])
  expect(stderr).toBe('')
  const told = JSON.parse(stdout) as Diagnosis
  const wrong = told.findings.flatMap(({ name, verdict }) => (verdict === 'bad' || verdict === 'warning' ? [name] : []))
  return { code, told, wrong }
}

test('a director: what its kernel, settings and neighbours are', async () => {
  const { director } = lab.hosts
  const file = director.writeFile('doctor.conf', config('DR'))
  await director.sysctl('net.ipv4.vs.expire_nodest_conn', 0)
  const { code, told, wrong } = await doctor(director, file)
  expect(code).toBe(0)
  expect(wrong).toContain('expire-nodest-conn')
  const texts = told.findings.map(({ text }) => text)
  expect(texts).toContain('module ip_vs (any virtual server): loaded')
  expect(texts).toContain(`${vip} is on eth0`)
  expect(texts).toContain(`${servers[0]} is a neighbour on eth0`)
  await director.sysctl('net.ipv4.vs.expire_nodest_conn', 1)
  expect((await doctor(director, file)).wrong).not.toContain('expire-nodest-conn')
})

test('a director of NAT that does not forward, without its VIP', async () => {
  const { director } = lab.hosts
  const file = director.writeFile('doctor.conf', config('NAT'))
  await director.sysctl('net.ipv4.ip_forward', 0)
  await director.ip(`addr del ${vip}/32 dev eth0`)
  const { code, wrong } = await doctor(director, file)
  await director.ip(`addr add ${vip}/32 dev eth0`)
  expect(code).toBe(1)
  expect(wrong).toEqual(expect.arrayContaining(['ip-forward', 'vip']))
})

test('a real server is set up from nothing, and serves', async () => {
  const { rs1, client, director } = lab.hosts
  await rs1.ip(`addr del ${vip}/32 dev lo`, `addr del ${vip6}/128 dev lo`)
  for (const setting of ['arp_ignore', 'arp_announce']) await rs1.sysctl(`net.ipv4.conf.all.${setting}`, 0)
  const words = ['--real-server', '--vip', `${vip},${vip6}`]
  const before = await doctor(rs1, ...words)
  expect([before.code, before.wrong]).toEqual([1, ['vip', 'vip', 'arp-ignore', 'arp-announce']])
  const fixed = await doctor(rs1, ...words, '--fix')
  expect([fixed.code, fixed.wrong]).toEqual([0, []])
  expect(fixed.told.done).toContain(`ip addr add ${vip}/32 dev lo`)
  expect(fixed.told.keep.map(({ file }) => file)).toContain('/etc/sysctl.d/60-ipvs-real-server.conf')
  expect((await doctor(rs1, ...words)).code).toBe(0)
  // The kernel and the traffic agree.
  const rules = `-A -t ${vip}:80 -s rr\n-a -t ${vip}:80 -r ${servers[0]}:80 -g\n`
  await director.output(['ipvsadm', '-R'], { input: rules })
  expect(await witnessTable(director)).toHaveLength(1)
  expect((await client.output(['curl', '-sS', '-m', '5', `http://${vip}/`])).trim()).toBe('rs1')
  expect(await client.output(['ip', 'neigh', 'show', vip])).not.toBe('')
})

test('the end of a tunnel is set up from nothing, and serves', async () => {
  const { vip: far, servers: behind } = tun()
  const other = await upLab(tun())
  const { rs1, client, director } = other.hosts
  const page = await serveHttp(rs1)
  try {
    await rs1.ip(`addr del ${far}/32 dev tunl0`, 'link set tunl0 down')
    for (const name of ['all', 'tunl0']) await rs1.sysctl(`net.ipv4.conf.${name}.rp_filter`, 1)
    const words = ['--real-server', '--vip', far, '--method', 'tun']
    expect((await doctor(rs1, ...words)).wrong.sort()).toEqual(['rp-filter', 'tunnel', 'vip'])
    expect((await doctor(rs1, ...words, '--fix')).wrong).toEqual([])
    await director.output(['ipvsadm', '-R'], {
      input: `-A -t ${far}:80 -s rr\n-a -t ${far}:80 -r ${behind[0]}:80 -i\n`,
    })
    expect((await client.output(['curl', '-sS', '-m', '5', `http://${far}/`])).trim()).toBe('rs1')
  } finally {
    await page.close()
    await other.down()
  }
})

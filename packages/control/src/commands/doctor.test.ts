import { silentLogger } from '@ipvs-director/core'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCtl } from '../cli.ts'
import type { Diagnosis, DoctorWish } from '../doctor-tools.ts'
import { createControlServer } from '../server.ts'
import { fakeDirector, fakeTools, splitBrain, status } from '../testing/index.ts'

const diagnosis: Diagnosis = {
  findings: [
    {
      name: 'arp-ignore',
      verdict: 'bad',
      text: 'arp_ignore: eth0 0',
      why: 'It answers ARP for the VIP.',
      mend: ['sysctl -w net.ipv4.conf.all.arp_ignore=1'],
    },
    { name: 'firewall', verdict: 'unknown', text: 'the firewall could not be read' },
    { name: 'vip', verdict: 'fine', text: '192.0.2.1 is on lo' },
  ],
  done: [],
  keep: [],
}

async function doctor(line: string, told: Diagnosis = diagnosis, socket = '/nowhere') {
  const wishes: DoctorWish[] = []
  const tools = fakeTools({
    env: { IPVS_DIRECTOR_SOCKET: socket },
    doctor: (wish) => {
      wishes.push(wish)
      return Promise.resolve(told)
    },
  })
  const code = await runCtl(['doctor', ...line.split(' ').filter((word) => word !== '')], tools)
  return { code, wish: wishes[0], out: tools.out(), err: tools.err() }
}

test('what is wrong, why, and the command on a line of its own; what is fine is counted', async () => {
  const { code, wish, out } = await doctor('')
  expect(code).toBe(1)
  expect(wish).toEqual({
    file: '/etc/keepalived/keepalived.conf',
    configId: undefined,
    realServer: undefined,
    strays: undefined,
    fix: false,
  })
  expect(out).toBe(`bad: arp_ignore: eth0 0
    It answers ARP for the VIP.
    $ sysctl -w net.ipv4.conf.all.arp_ignore=1
unknown: the firewall could not be read
3 looks: 1 bad, 0 warnings, 1 fine, 1 not seen
`)
  expect((await doctor('--all')).out).toContain('fine: 192.0.2.1 is on lo\n')
})

test('nothing bad ends with 0, and says what was done and how it stays', async () => {
  const { code, wish, out } = await doctor('--real-server --vip 192.0.2.1,192.0.2.2 --method tun --fix', {
    findings: [{ name: 'vip', verdict: 'fine', text: 'x' }],
    done: ['ip addr add 192.0.2.1/32 dev lo'],
    keep: [{ file: '/etc/x', lines: ['a = 1'] }],
  })
  expect(code).toBe(0)
  expect(wish).toEqual({
    file: '',
    configId: undefined,
    realServer: { vips: ['192.0.2.1', '192.0.2.2'], method: 'tun' },
    fix: true,
  })
  expect(out).toBe(`done: ip addr add 192.0.2.1/32 dev lo
to keep it so over a reboot, in /etc/x:
    a = 1
1 look: 0 bad, 0 warnings, 1 fine
`)
})

test('JSON is the whole diagnosis', async () => {
  const { code, out } = await doctor('--json')
  expect(code).toBe(1)
  expect(JSON.parse(out)).toEqual({ schema: 1, ok: false, ...diagnosis })
})

test.for([
  ['--real-server', '--real-server needs --vip ADDRESS'],
  ['--vip 192.0.2.1', '--vip goes with --real-server'],
  ['--fix', '--fix goes with --real-server'],
  ['--real-server --vip 192.0.2.1 --method direct', 'method'],
] as const)('wrong usage: %s', async ([line, words]) => {
  const { code, err, wish } = await doctor(line)
  expect([code, wish]).toEqual([2, undefined])
  expect(err).toContain(words)
})

test('a doctor that cannot look says so', async () => {
  const tools = fakeTools({ doctor: () => Promise.reject(new Error('--vip x: not an IP address')) })
  expect(await runCtl(['doctor', '--real-server', '--vip', 'x'], tools)).toBe(1)
  expect(tools.err()).toBe('ipvs-ctl: --vip x: not an IP address\n')
})

test('a running director tells which addresses were put here by hand, and its file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'doctor-'))
  const director = fakeDirector()
  const [one] = splitBrain().instances
  const strays = one === undefined ? [] : [{ ...one, state: 'backup', strays: ['192.0.2.1'] } as const]
  director.status = () => Promise.resolve(status({ vrrp: { ...splitBrain(), instances: strays } }))
  const socket = join(directory, 's')
  const server = await createControlServer({ socket: { path: socket }, handlers: director, logger: silentLogger })
  try {
    expect((await doctor('', diagnosis, socket)).wish).toMatchObject({
      file: status().config.file,
      strays: [{ instance: 'VI_1', addresses: ['192.0.2.1'] }],
    })
    expect((await doctor('/etc/other.conf', diagnosis, socket)).wish?.file).toBe('/etc/other.conf')
  } finally {
    await server.close()
    await rm(directory, { recursive: true, force: true })
  }
})

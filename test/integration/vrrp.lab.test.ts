/** Our vrrp process and Debian's keepalived, both ways round, on one network. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { address, seconds, type Millis } from '@ipvs-director/core'
import { openVrrpSocket, withinNamespace } from '@ipvs-director/linux'
import { capture, upLab, until, type Host, type Lab, type LabProcess, type LabSpec } from '../lab/index.ts'
import { addressesOf, endBoth, startKeepalived, startOurs, type OurVrrp } from './vrrp.ts'

const spec: LabSpec<'a' | 'b'> = {
  networks: ['lan'],
  hosts: {
    a: { links: { lan: ['10.0.0.1/24', 'fd00::1/64', 'fe80::1/64'] } },
    b: { links: { lan: ['10.0.0.2/24', 'fd00::2/64', 'fe80::2/64'] } },
  },
}
const vip = '10.0.0.100'

/** What is right comes in a second or two; a busy machine may take longer. */
const patience = seconds(20)

let lab: Lab<'a' | 'b'>
let ours: OurVrrp | undefined
let theirs: LabProcess | undefined

beforeAll(async () => {
  lab = await upLab(spec)
})
afterAll(() => lab.down())
afterEach(async () => {
  await endBoth(ours, theirs)
  ours = theirs = undefined
  await lab.hosts.b.run(['ip', 'addr', 'flush', 'dev', 'eth0', 'to', `${vip}/32`])
})

interface Wish {
  readonly priority: number
  readonly version?: 2 | 3
  /** Of version 3: seconds between adverts. */
  readonly pace?: string
  readonly more?: string
  readonly addresses?: string
  readonly vrid?: number
}

/** Tenths of a second between adverts in version 3, a second in version 2. */
const instance = ({
  priority,
  version = 3,
  pace = '0.1',
  more = '',
  addresses = `${vip}/24`,
  vrid = 51,
}: Wish): string => `
vrrp_instance V${vrid} {
  interface eth0
  virtual_router_id ${vrid}
  priority ${priority}
  version ${version}
  advert_int ${version === 3 ? pace : '1'}
  ${more}
  virtual_ipaddress {
    ${addresses}
  }
}
`

async function we(config: string): Promise<OurVrrp> {
  ours = await startOurs(lab.hosts.a, config)
  return ours
}

function they(config: string): LabProcess {
  theirs = startKeepalived(lab.hosts.b, config)
  return theirs
}

const has = async (host: Host, address = vip): Promise<boolean> => (await addressesOf(host)).includes(` ${address}/`)

/** Everything that was said, for a test that fails. */
const story = (): string =>
  `ours:\n${ours?.log.join('\n') ?? ''}\ntheirs:\n${theirs?.stdout ?? ''}${theirs?.stderr ?? ''}`

/** Exactly one holds the address: the one named. */
const held = (by: 'a' | 'b', within: Millis = patience, address = vip): Promise<Millis> =>
  until(
    `${by} alone has ${address}`,
    within,
    async () => {
      const [a, b] = await Promise.all([has(lab.hosts.a, address), has(lab.hosts.b, address)])
      return by === 'a' ? a && !b : b && !a
    },
    story,
  )

const states = (): string[] => (ours?.events ?? []).flatMap((event) => (event.type === 'instance' ? [event.state] : []))

/** These, by and by: what is in the kernel is heard of from the process a bit later. */
async function went(...expected: string[]): Promise<void> {
  await until(`it went ${expected.join(', ')}`, patience, () => states().length >= expected.length, story)
  expect(states(), story()).toEqual(expected)
}

describe('version 3', () => {
  test('the higher priority takes over, and gives back by priority 0', async () => {
    they(instance({ priority: 100 }))
    await held('b')
    const seen = await capture(lab.hosts.b, 'vrrp or arp')
    await we(instance({ priority: 150 }))
    await held('a')
    await ours?.process.stop()
    expect(await has(lab.hosts.a)).toBe(false)
    await held('b')
    const lines = await seen.stop()
    expect(lines).toContainEqual(expect.stringMatching(/^IP 10\.0\.0\.1 > 224\.0\.0\.18: VRRPv3, Advertisement, vrid 51, prio 150, intvl 10cs, length 12/)) // prettier-ignore
    expect(lines).toContainEqual(expect.stringMatching(/^IP 10\.0\.0\.1 > 224\.0\.0\.18: VRRPv3, Advertisement, vrid 51, prio 0,/)) // prettier-ignore
    expect(lines).toContainEqual(expect.stringMatching(/^ARP, Request who-has 10\.0\.0\.100 \(ff:ff:ff:ff:ff:ff\) tell 10\.0\.0\.100/)) // prettier-ignore
    expect(lines.join('\n')).not.toMatch(/bad|invalid|truncated/i)
    await went('BACKUP', 'MASTER', 'STOP')
  })

  test('keepalived with the higher priority takes over; when it is killed, so do we', async () => {
    await we(instance({ priority: 100 }))
    await until('we are master', patience, () => has(lab.hosts.a), story)
    they(instance({ priority: 150 }))
    await held('b')
    expect(await ours?.state()).toBe('backup')
    theirs?.kill()
    await until('we are master again', patience, () => has(lab.hosts.a), story)
    await went('BACKUP', 'MASTER', 'BACKUP', 'MASTER')
  })

  test('whoever does not preempt waits, on either side', async () => {
    they(instance({ priority: 100 }))
    await held('b')
    await we(instance({ priority: 150, more: 'nopreempt' }))
    await new Promise((resolve) => setTimeout(resolve, 700))
    await held('b')
    await theirs?.stop()
    await until('we are master', patience, () => has(lab.hosts.a), story)
    they(instance({ priority: 200, more: 'nopreempt' }))
    await theirs?.says(/Startup complete/)
    await new Promise((resolve) => setTimeout(resolve, 700))
    await held('a')
  })

  test('by unicast', async () => {
    const peers = (own: number, other: number): string =>
      `unicast_src_ip 10.0.0.${own}\n unicast_peer {\n 10.0.0.${other}\n }`
    they(instance({ priority: 100, more: peers(2, 1) }))
    await held('b')
    const seen = await capture(lab.hosts.b, 'vrrp')
    await we(instance({ priority: 150, more: peers(1, 2) }))
    await held('a')
    expect(await seen.stop()).toContainEqual(expect.stringMatching(/^IP 10\.0\.0\.1 > 10\.0\.0\.2: VRRPv3/))
  })

  test('of IPv6', async () => {
    const addresses = 'fe80::5151/64\n fd00::100/64'
    they(instance({ priority: 100, addresses }))
    await held('b', patience, 'fd00::100')
    const seen = await capture(lab.hosts.b, 'ip6')
    await we(instance({ priority: 150, addresses }))
    await held('a', patience, 'fd00::100')
    await ours?.process.stop()
    await held('b', patience, 'fd00::100')
    const lines = await seen.stop()
    expect(lines).toContainEqual(
      expect.stringMatching(/^IP6 fe80::\S+ > ff02::12: VRRPv3, Advertisement, vrid 51, prio 150/),
    )
    expect(lines).toContainEqual(expect.stringMatching(/^IP6 fd00::100 > ff02::1: ICMP6, neighbor advertisement, tgt is fd00::100/)) // prettier-ignore
  })
})

describe('version 2', () => {
  const auth = (type: 'PASS' | 'AH', word: string): string => `authentication {\n auth_type ${type}\n auth_pass ${word}\n }` // prettier-ignore

  test('with a password: keepalived believes us', async () => {
    they(instance({ priority: 100, version: 2, more: auth('PASS', 'secret12') }))
    await we(instance({ priority: 150, version: 2, more: auth('PASS', 'secret12') }))
    await held('a', seconds(8))
    await ours?.process.stop()
    await held('b', seconds(3))
    expect(theirs?.stdout).not.toMatch(/invalid|error/i)
  })

  test('with an authentication header: we believe keepalived', async () => {
    await they(instance({ priority: 150, version: 2, more: auth('AH', 'secret12') })).says(/Startup complete/)
    await we(instance({ priority: 100, version: 2, more: auth('AH', 'secret12') }))
    await held('b', seconds(8))
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(states()).toEqual(['BACKUP'])
    await theirs?.stop()
    await until('we are master', seconds(3), () => has(lab.hosts.a), story)
  })

  test('another password is rejected and counted, and nothing of it is believed', async () => {
    they(instance({ priority: 200, version: 2, more: auth('PASS', 'other') }))
    await we(instance({ priority: 150, version: 2, more: auth('PASS', 'secret12') }))
    await until('we are master, too', seconds(8), () => has(lab.hosts.a), story)
    const status = await ours?.process.status()
    expect(status?.instances[0]?.counters.rejected.authFailure).toBeGreaterThan(0)
  })
})

describe('when things break', () => {
  test('killed with all that would start it again, the kernel drops the address; the other has taken over long before', async () => {
    they(instance({ priority: 100 }))
    await held('b')
    await we(instance({ priority: 150 }))
    await held('a')
    ours?.letDie()
    process.kill((await ours?.pid()) ?? 0, 'SIGKILL')
    await until('keepalived has it', seconds(2), () => has(lab.hosts.b), story)
    await held('b', patience)
  })

  test('killed alone, it comes back as backup and wins again', async () => {
    they(instance({ priority: 100 }))
    await held('b')
    await we(instance({ priority: 150 }))
    await held('a')
    process.kill((await ours?.pid()) ?? 0, 'SIGKILL')
    await until('it begins anew', patience, () => states().length >= 4, story)
    await held('a')
    expect(states()).toEqual(['BACKUP', 'MASTER', 'BACKUP', 'MASTER'])
  })

  test('stopped for a second, it does not disturb the one that took over', async () => {
    they(instance({ priority: 100 }))
    await held('b')
    await we(instance({ priority: 150 }))
    await held('a')
    const pid = (await ours?.pid()) ?? 0
    process.kill(pid, 'SIGSTOP')
    await until('keepalived has it', patience, () => has(lab.hosts.b), story)
    const seen = await capture(lab.hosts.b, 'vrrp and src host 10.0.0.1')
    await ours?.apply(instance({ priority: 50 })) // waits in the channel
    process.kill(pid, 'SIGCONT')
    await held('b')
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect((await seen.stop()).filter((line) => line.includes('prio 150'))).toEqual([])
    expect(states()).toEqual(['BACKUP', 'MASTER', 'BACKUP'])
  })

  test('an address deleted by hand comes back, and so does mastership after a link that was down', async () => {
    await we(instance({ priority: 150 }))
    await until('we are master', patience, () => has(lab.hosts.a), story)
    await lab.hosts.a.ip(`addr del ${vip}/24 dev eth0`)
    await until('it was missed', patience, () => states().length >= 4, story)
    await held('a')
    await lab.hosts.a.ip('link set eth0 down')
    await until('that is a fault', patience, async () => (await ours?.state()) === 'fault', story)
    expect(await has(lab.hosts.a)).toBe(false)
    await lab.hosts.a.ip('link set eth0 up')
    await held('a')
    await went('BACKUP', 'MASTER', 'BACKUP', 'MASTER', 'FAULT', 'BACKUP', 'MASTER')
  })

  test('an interface that is deleted is a fault; made again under its name it is another one, and used', async () => {
    const { a, b } = lab.hosts
    const make = async (): Promise<void> => {
      await a.ip('link add lan0 link eth0 type macvlan mode bridge')
      await a.ip('addr add 10.0.0.11/24 dev lan0')
      await a.ip('link set lan0 up')
    }
    const holds = async (): Promise<boolean> => (await addressesOf(a, 'lan0')).includes(` ${vip}/`)
    await make()
    try {
      they(instance({ priority: 100 }))
      await we(instance({ priority: 150 }).replace('interface eth0', 'interface lan0'))
      await until('we are master', patience, holds, story)
      await a.ip('link del lan0')
      await until('that is a fault', patience, async () => (await ours?.state()) === 'fault', story)
      await until('they are master', patience, () => has(b), story)
      await make()
      await until('we are master again', patience, holds, story)
      await until('they are backup', patience, async () => !(await has(b)), story)
    } finally {
      await a.run(['ip', 'link', 'del', 'lan0'])
    }
  })

  test('an address of ours that somebody else announces is an alarm', async () => {
    await we(instance({ priority: 150 }))
    await until('we are master', patience, () => has(lab.hosts.a), story)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await lab.hosts.b.ip(`addr add ${vip}/24 dev eth0`)
    await lab.hosts.b.run(['ip', 'neigh', 'flush', 'all'])
    // The kernel asks for 10.0.0.1 as one that has the address.
    await lab.hosts.b.run(['curl', '-s', '-m', '1', '--interface', vip, 'http://10.0.0.1:9/'])
    await until('there is an alarm', patience, () => ours?.events.some(({ type }) => type === 'alarm') === true, story)
  })
})

test('a flood of forged adverts costs neither mastership nor an advert of ours', async () => {
  // The lab has one processor, which the sender takes its half of: at 0.1 s a third of a second without it is too long.
  await we(instance({ priority: 150, pace: '0.3' }))
  await until('we are master', patience, () => has(lab.hosts.a), story)
  const seen = await capture(lab.hosts.b, 'vrrp and src host 10.0.0.1')
  const forged = [
    Buffer.from([0x31, 51, 200, 1, 0, 10, 0xba, 0xad, 10, 0, 0, 100]), // its checksum is wrong
    Buffer.from([0x31, 99, 200, 1, 0, 10, 0xba, 0xad, 10, 0, 0, 100]), // of a router that is not here
    Buffer.from([0x21, 51, 200, 1, 0, 10, 0xba, 0xad, 10, 0, 0, 100]), // of another version
    Buffer.from([0x31]),
  ]
  const flood = withinNamespace(`/run/netns/${lab.hosts.b.namespace}`, () =>
    openVrrpSocket(
      { family: 'inet', protocol: 112, interface: { name: 'eth0', index: 2 }, group: undefined, source: undefined },
      { packet: () => undefined, error: () => undefined },
    ),
  )
  const destination = address('224.0.0.18')
  const end = performance.now() + 3000
  for (let i = 0; performance.now() < end; i++) {
    const payload = forged[i % forged.length] ?? Buffer.alloc(0)
    const header = [0x45, 0xc0, 0, 20 + payload.length, 0, 1, 0, 0, 255, 112, 0, 0, 10, 0, 0, 2, 224, 0, 0, 18]
    const bytes = Buffer.concat([Buffer.from(header), payload])
    flood.send({ source: address('10.0.0.2'), destination, ttl: 255, bytes })
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  flood.close()
  const status = (await ours?.process.status())?.instances[0]
  expect(status?.state).toBe('master')
  expect(status?.counters.rejected.checksum).toBeGreaterThan(100)
  expect(states()).toEqual(['BACKUP', 'MASTER'])
  expect((await seen.stop()).length).toBeGreaterThan(5) // it went on advertising; how evenly, the bench tells
})

describe('more than one', () => {
  test('a reload keeps the master and brings the new address; equal text changes nothing', async () => {
    they(instance({ priority: 100 }))
    await held('b')
    await we(instance({ priority: 150 }))
    await held('a')
    await ours?.apply(instance({ priority: 150 }))
    await ours?.apply(instance({ priority: 140, addresses: `${vip}/24\n 10.0.0.101/24` }))
    await until('there are two', patience, () => has(lab.hosts.a, '10.0.0.101'), story)
    await ours?.apply(instance({ priority: 140, addresses: `${vip}/24` }))
    await until('there is one', patience, async () => !(await has(lab.hosts.a, '10.0.0.101')), story)
    expect(await has(lab.hosts.a), story()).toBe(true)
    await went('BACKUP', 'MASTER')
  })

  test('a sync group moves as one, and by hand', async () => {
    const both = (priorities: readonly [number, number]): string =>
      `vrrp_sync_group G {\n group {\n V51\n V52\n }\n}\n${instance({ priority: priorities[0] })}${instance({ priority: priorities[1], vrid: 52, addresses: '10.0.0.152/24' })}` // prettier-ignore
    they(both([100, 100]))
    await held('b', seconds(8), '10.0.0.152')
    await we(both([150, 50])) // the second waits for its turn, so the first does, too
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect([await has(lab.hosts.b), await has(lab.hosts.b, '10.0.0.152')]).toEqual([true, true])
    await ours?.apply(both([150, 150]))
    await held('a', seconds(8))
    await held('a', seconds(8), '10.0.0.152')
    await ours?.process.command('move', 'V51')
    await held('b', seconds(8))
    await held('b', seconds(8), '10.0.0.152')
    await lab.hosts.b.run(['ip', 'addr', 'del', '10.0.0.152/24', 'dev', 'eth0'])
  })

  test('use_vmac: the address of the router, and nothing left behind', async () => {
    they(instance({ priority: 100, more: 'use_vmac' }))
    await until('keepalived has it', patience, async () => (await lab.hosts.b.output(['ip', '-o', 'addr'])).includes(vip)) // prettier-ignore
    await we(instance({ priority: 150, more: 'use_vmac' }))
    const shown = (): Promise<string> => lab.hosts.a.output(['ip', '-o', 'addr'])
    await until('we have it', patience, async () => /vrrp\.51 +inet 10\.0\.0\.100/.test(await shown()), story)
    await until('keepalived has not', patience, async () => !(await lab.hosts.b.output(['ip', '-o', 'addr'])).includes(vip)) // prettier-ignore
    expect(await lab.hosts.a.output(['ip', '-d', 'link', 'show', 'vrrp.51'])).toMatch(/00:00:5e:00:01:33[^]*macvlan mode private/) // prettier-ignore
    await ours?.process.stop()
    expect((await lab.hosts.a.run(['ip', 'link', 'show', 'vrrp.51'])).code).not.toBe(0)
    await theirs?.stop()
  })

  test('use_vmac_addr: addresses on another interface and of the other family get the address of the router, as in keepalived', async () => {
    const more = `use_vmac_addr
      virtual_ipaddress_excluded {
        10.1.0.100/24 dev eth1
        10.1.0.101/24 dev eth1
        fd00::a100/64
      }`
    const globals = 'global_defs {\n vmac_addr_prefix extra\n}\n'
    for (const host of [lab.hosts.a, lab.hosts.b]) {
      await host.ip('link add eth1 type veth peer name far1', 'link set eth1 up', 'link set far1 up')
    }
    /** Address, interface, the one below it, hardware address. */
    const where = async (host: Host): Promise<string[]> => {
      const links = JSON.parse(await host.output(['ip', '-j', 'addr'])) as readonly { ifname: string; link?: string; address: string; addr_info: readonly { local: string }[] }[] // prettier-ignore
      return links
        .flatMap(({ ifname, link, address: mac, addr_info: list }) =>
          list.map(({ local }) => `${local} ${ifname}${link === undefined || !ifname.startsWith('extra') ? '' : ` on ${link} ${mac}`}`),
        )
        .filter((line) => /\.10[01] |::a100 /.test(line))
        .sort() // prettier-ignore
    }
    const wanted = [
      '10.0.0.100 eth0',
      '10.1.0.100 extra.51 on eth1 00:00:5e:00:01:33',
      '10.1.0.101 extra.51 on eth1 00:00:5e:00:01:33',
      'fd00::a100 extra6.51 on eth0 00:00:5e:00:02:33',
    ]
    they(globals + instance({ priority: 100, more }))
    await until('keepalived has them', patience, async () => (await where(lab.hosts.b)).join() === wanted.join(), story)
    await we(globals + instance({ priority: 150, more }))
    await until('we have them', patience, async () => (await where(lab.hosts.a)).join() === wanted.join(), story)
    await until('keepalived has none', patience, async () => (await where(lab.hosts.b)).length === 0, story)
    await ours?.process.stop()
    expect(await lab.hosts.a.output(['ip', '-o', 'link'])).not.toContain('extra')
    await theirs?.stop()
    for (const host of [lab.hosts.a, lab.hosts.b]) await host.ip('link del eth1')
  })

  test('track_group: a static entry whose interface is down is a fault, and it comes back with it', async () => {
    const globals = `track_group ways {
      group { V51 }
    }
    static_ipaddress {
      10.2.0.1/24 dev eth2 track_group ways
    }
    static_routes {
      10.3.0.0/24 dev eth2 track_group ways
    }
    `
    const there = async (): Promise<boolean> =>
      /10\.2\.0\.1\/24[^]*10\.3\.0\.0\/24/.test(await lab.hosts.a.output(['ip', '-o', 'addr'])
        + await lab.hosts.a.output(['ip', 'route'])) // prettier-ignore
    const state = (what: string): Promise<unknown> => until(`we are ${what}`, patience, async () => (await ours?.state()) === what, story) // prettier-ignore
    await lab.hosts.a.ip('link add eth2 type veth peer name far2', 'link set eth2 up', 'link set far2 up')
    await we(globals + instance({ priority: 150 }))
    await state('master')
    await until('the static entries are there', patience, there, story)
    await lab.hosts.a.ip('link set far2 down')
    await state('fault')
    await lab.hosts.a.ip('link set far2 up')
    await state('master')
    await until('the static entries are still there', patience, there, story)
    await lab.hosts.a.ip('link set eth2 down')
    await state('fault')
    await lab.hosts.a.ip('link set eth2 up')
    await state('master')
    await until('the static route is there again', patience, there, story)
    await lab.hosts.a.ip('link del eth2')
    await state('fault')
  })
})

import { expect, test } from 'vitest'
import { effectiveJson } from '../effective.ts'
import { brief, loadText } from '../testing/load-text.ts'
import type { VrrpConfig, VrrpInstance } from '../vrrp-config.ts'

/** An instance with these lines, and global_defs with those. */
const conf = (lines: string, globals = '', rest = ''): string => `global_defs {
${globals}
}
${rest}
vrrp_instance VI {
  virtual_router_id 7
  interface eth0
  virtual_ipaddress {
    192.0.2.10
  }
${lines}
}
`

async function load(text: string): Promise<VrrpConfig> {
  const { config } = await loadText(text)
  if (config === undefined) throw new Error('nothing was loaded')
  return config.vrrp
}

async function instanceOf(lines: string, globals?: string, rest?: string): Promise<VrrpInstance> {
  const { instances } = await load(conf(lines, globals, rest))
  const [instance] = instances
  if (instance === undefined) throw new Error('the instance was left out')
  return instance
}

const fields: readonly (readonly [
  name: string,
  lines: string,
  globals: string,
  wanted: { readonly [K in keyof VrrpInstance]?: unknown },
])[] = [
  ['no priority', '', '', { priority: 100, initialState: 'BACKUP', version: 2, family: 'inet', advertInterval: 1000 }],
  ['MASTER without priority owns', 'state MASTER', '', { priority: 255, initialState: 'MASTER' }],
  ['255 without state begins as MASTER', 'priority 255', '', { initialState: 'MASTER' }],
  ['MASTER with 100 keeps its wish', 'state MASTER\npriority 100', '', { priority: 100, initialState: 'MASTER' }],
  [
    'strict: MASTER with 100 begins as BACKUP',
    'state MASTER\npriority 100\nstrict_mode',
    '',
    { initialState: 'BACKUP' },
  ],
  [
    'AH: only an owner begins as MASTER',
    'state MASTER\npriority 100\nauthentication {\nauth_type AH\nauth_pass x\n}',
    '',
    { initialState: 'BACKUP', auth: { type: 'AH', password: 'x' } },
  ],
  ['receive buffer by MTU', '', 'vrrp_rx_bufs_policy MTU', { receiveBuffer: { times: 3, of: 'MTU' } }],
  [
    'receive buffer by advertisements',
    'kernel_rx_buf_size 0',
    'vrrp_rx_bufs_policy ADVERT\nvrrp_rx_bufs_multiplier 10',
    { receiveBuffer: { times: 10, of: 'ADVERT' } },
  ],
  ['receive buffer in bytes', '', 'vrrp_rx_bufs_policy 70000\nvrrp_rx_bufs_multiplier 9', { receiveBuffer: 70_000 }],
  ['own receive buffer', 'kernel_rx_buf_size 5', 'vrrp_rx_bufs_policy MTU', { receiveBuffer: 5 }],
  ['nopreempt', 'state BACKUP\nnopreempt\npreempt_delay 5', '', { preempt: false, preemptDelay: 0 }],
  ['nopreempt with MASTER is cleared', 'state MASTER\npriority 150\nnopreempt', '', { preempt: true }],
  ['nopreempt of an owner is cleared', 'state BACKUP\npriority 255\nnopreempt', '', { preempt: true }],
  ['preempt_delay', 'preempt_delay 2.5', '', { preempt: true, preemptDelay: 2500 }],
  ['preempt_delay with MASTER is cleared', 'state MASTER\npriority 10\npreempt_delay 5', '', { preemptDelay: 0 }],
  ['preempt_delay in strict mode is cleared', 'preempt_delay 5', 'vrrp_strict', { preemptDelay: 0 }],
  ['v2 rounds to whole seconds', 'advert_int 0.4', '', { advertInterval: 1000 }],
  ['v2 rounds to the nearest', 'advert_int 2.6', '', { advertInterval: 3000 }],
  ['v3 has hundredths', 'version 3\nadvert_int 0.034', '', { advertInterval: 30, version: 3 }],
  ['v3 ends at 40.95', 'version 3\nadvert_int 60', '', { advertInterval: 40_950 }],
  ['the global version', '', 'vrrp_version 3', { version: 3 }],
  ['v3 has no password', 'authentication {\nauth_type PASS\nauth_pass x\n}', 'vrrp_version 3', { auth: undefined }],
  ['a password without type is none', 'authentication {\nauth_pass x\n}', '', { auth: undefined }],
  [
    'strict has no password',
    'authentication {\nauth_type PASS\nauth_pass x\n}',
    'vrrp_strict',
    { auth: undefined, strict: true },
  ],
  ['strict_mode off', 'strict_mode off', 'vrrp_strict', { strict: false, accept: true }],
  [
    'strict does not accept',
    '',
    'vrrp_strict',
    { accept: false, lowerPriorityNoAdvert: true, ownerIgnoreAdverts: true },
  ],
  ['an owner accepts', 'priority 255', 'vrrp_strict', { accept: true }],
  ['v3 strict may accept', 'version 3\naccept', 'vrrp_strict', { accept: true }],
  ['no_accept', 'no_accept', '', { accept: false }],
  ['down timer', '', 'vrrp_down_timer_adverts 5', { downTimerAdverts: 5 }],
  ['own down timer', 'down_timer_adverts 4', 'vrrp_down_timer_adverts 5', { downTimerAdverts: 4 }],
  ['strict down timer', 'down_timer_adverts 4', 'vrrp_strict', { downTimerAdverts: 3 }],
  ['own group', 'mcast_dst_ip 224.0.0.99', 'vrrp_mcast_group4 224.0.0.50', { multicastGroup: '224.0.0.99' }],
  ['global group', '', 'vrrp_mcast_group4 224.0.0.50', { multicastGroup: '224.0.0.50' }],
  [
    'unicast source',
    'unicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.2 min_ttl 255\n192.0.2.1\n192.0.2.2\n}',
    '',
    { sourceAddress: '192.0.2.1', unicastPeers: [{ address: '192.0.2.2', minTtl: 255, maxTtl: undefined }] },
  ],
  ['old checksum', 'old_unicast_checksum', '', { oldUnicastChecksum: 'always' }],
  ['never the old checksum', 'old_unicast_checksum never', '', { oldUnicastChecksum: 'never' }],
  [
    'vmac by unicast leaves below',
    'use_vmac\nunicast_peer {\n192.0.2.2\n}',
    '',
    {
      vmac: {
        name: undefined,
        mac: undefined,
        group: undefined,
        netlinkNotifyMessage: false,
        transmitBase: true,
      },
    },
  ],
  [
    'vmac with a name',
    'use_vmac vip0 02:00:00:00:00:0A',
    '',
    {
      vmac: {
        name: 'vip0',
        mac: '02:00:00:00:00:0a',
        group: undefined,
        netlinkNotifyMessage: false,
        transmitBase: false,
      },
    },
  ],
  ['lease by default', 'version 3\nadvert_int 0.1', '', { vipLease: 3000 }],
  ['lease of slow adverts', 'advert_int 5', '', { vipLease: 15_000 }],
  ['no lease', '', 'vrrp_vip_lease off', { vipLease: undefined }],
  ['own lease', 'vip_lease 10', 'vrrp_vip_lease off', { vipLease: 10_000 }],
  ['default lease again', 'vip_lease default', 'vip_lease off', { vipLease: 3000 }],
  [
    'heartbeat paths',
    'heartbeat_interface {\neth1 eth0\n}\nheartbeat_peer {\n10.0.0.2 src 10.0.0.1 dev eth2\n}',
    '',
    { heartbeatInterfaces: ['eth1'], heartbeatPeers: [{ address: '10.0.0.2', source: '10.0.0.1', interface: 'eth2' }] },
  ],
  [
    'arbitration',
    'arbitration {\naddresses {\n192.0.2.254 192.0.2.253\n}\nrequire all\nstep_down\n}',
    '',
    {
      arbitration: {
        require: 'all',
        addresses: ['192.0.2.254', '192.0.2.253'],
        interval: 1000,
        timeout: 1000,
        fall: 3,
        stepDown: true,
      },
    },
  ],
  [
    'preempt gate',
    'preempt_gate {\ncheckers\ntimeout 60\n}',
    '',
    { preemptGate: { checkers: true, ipvsSync: false, timeout: 60_000 } },
  ],
  [
    'hmac',
    `auth_hmac {\nkey 2 ${'k'.repeat(32)}\nkey 1 file:/etc/key\n}`,
    '',
    {
      hmac: {
        keys: [
          { id: 2, encoding: 'text', secret: 'k'.repeat(32) },
          { id: 1, path: '/etc/key' },
        ],
        activeKey: 2,
        timeWindow: 5000,
        antiReplay: 'time',
        mode: 'enforce',
      },
    },
  ],
]

test.for(fields)('%s', async ([, lines, globals, wanted]) => {
  const instance = await instanceOf(lines, globals)
  const found = Object.fromEntries(Object.keys(wanted).map((key) => [key, instance[key as keyof VrrpInstance]]))
  expect(found).toEqual(wanted)
})

const announcing: readonly (readonly [lines: string, globals: string, wanted: object])[] = [
  ['', '', { masterDelay: 5000, masterRepeat: 5, masterRefresh: 0, lowerPriorityDelay: 5000, lowerPriorityRepeat: 5 }],
  ['garp_master_delay 1\ngarp_master_repeat 2', '', { lowerPriorityDelay: 5000, lowerPriorityRepeat: 5 }],
  [
    'garp_master_delay 1',
    'vrrp_garp_master_delay 9\nvrrp_garp_master_refresh 60',
    { masterDelay: 1000, masterRefresh: 60_000 },
  ],
  ['', 'vrrp_garp_master_delay 9', { masterDelay: 9000, lowerPriorityDelay: 9000 }],
  ['', 'vrrp_min_garp', { masterDelay: 0, masterRepeat: 1, masterRefresh: 0, masterRefreshRepeat: 1 }],
  ['', 'vrrp_min_garp\nvrrp_garp_master_repeat 3', { masterDelay: 0, masterRepeat: 3 }],
  ['garp_lower_prio_repeat 4', 'vrrp_strict', { lowerPriorityDelay: 0, lowerPriorityRepeat: 0 }],
  ['garp_extra_if all 30', 'vrrp_garp_extra_if 60', { extraInterfaces: { all: true, interval: 30_000 } }],
  ['garp_extra_if 0', 'vrrp_garp_extra_if 60', { extraInterfaces: undefined }],
  ['', 'vrrp_vmac_garp_intvl all 7', { extraInterfaces: { all: true, interval: 7000 } }],
]

test.for(announcing)('announcements of "%s" with "%s"', async ([lines, globals, wanted]) => {
  expect((await instanceOf(lines, globals)).announcing).toMatchObject(wanted)
})

test('addresses: prefix, broadcast, interface, scope, and what is not advertised', async () => {
  const { instances } = await load(`vrrp_instance VI {
  virtual_router_id 7
  interface eth0
  virtual_ipaddress {
    10.1.2.3/20 brd + dev eth1 label eth1:v scope link
    10.1.2.4/28 brd - no_track
    2001:db8::1
  }
  virtual_ipaddress_excluded {
    2001:db8::2/64 preferred_lft 30 -nodad
    10.1.2.4
  }
}`)
  const [instance] = instances
  expect(instance?.addresses).toMatchObject([
    { address: '10.1.2.3', prefix: 20, broadcast: '10.1.15.255', interface: 'eth1', label: 'eth1:v', scope: 253 },
    { address: '10.1.2.4', prefix: 28, broadcast: '10.1.2.0', interface: 'eth0', scope: 0, track: false },
  ])
  expect(instance?.excluded).toMatchObject([
    { address: '2001:db8::2', prefix: 64, preferredLifetime: 30_000, nodad: true },
    { address: '10.1.2.4', prefix: 32, interface: 'eth0' },
  ])
  expect(instance?.addresses[1]?.place).toMatchObject({ line: 6, column: 5 })
})

test('routes and rules', async () => {
  const { instances, staticRoutes, staticAddresses, staticRules } = await load(`static_ipaddress {
  10.9.0.1/24
}
static_routes {
  blackhole 10.8.0.0/16
}
static_rules {
  from 10.7.0.0/16 lookup main priority 5 no_track
}
vrrp_instance VI {
  virtual_router_id 7
  interface eth0
  virtual_ipaddress {
    10.0.0.1
  }
  virtual_routes {
    default via 10.0.0.254 table 100 metric 5 mtu lock 1400
    inet6 default via fe80::1 dev eth0
    10.5.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.0.3
  }
  virtual_rules {
    fwmark 0x10/0xff lookup 100
    not from 10.0.0.0/8 iif eth1 unreachable
    to 10.6.0.0/16 sport 1000-2000 goto 900
  }
}`)
  const [instance] = instances
  expect(staticAddresses).toMatchObject([{ address: '10.9.0.1', prefix: 24, interface: 'eth0', place: { line: 2 } }])
  expect(staticRoutes).toMatchObject([
    { type: 'blackhole', destination: { address: '10.8.0.0', length: 16 }, table: 254 },
  ])
  expect(staticRules).toMatchObject([
    { from: { length: 16 }, table: 254, preference: 5, action: 'table', track: false },
  ])
  expect(instance?.routes).toMatchObject([
    {
      family: 'inet',
      destination: undefined,
      gateway: '10.0.0.254',
      table: 100,
      metric: 5,
      metrics: { mtu: { lock: true, value: '1400' } },
    },
    { family: 'inet6', destination: undefined, gateway: 'fe80::1', interface: 'eth0' },
    {
      nextHops: [
        { gateway: '10.0.0.2', weight: 3 },
        { gateway: '10.0.0.3', weight: 1 },
      ],
    },
  ])
  expect(instance?.rules).toMatchObject([
    { mark: { value: 16, mask: 255 }, table: 100, action: 'table' },
    { not: true, inputInterface: 'eth1', action: 'unreachable' },
    { sourcePorts: { first: 1000, last: 2000 }, action: 'goto', target: 900 },
  ])
})

const followed = `vrrp_script s {
  script /bin/true
  weight 10
  user nobody
}
track_file f {
  file /tmp/f
}
vrrp_track_process p {
  process nginx
  weight -5 reverse
}
bfd_instance b {
  neighbor_ip 192.0.2.9
}
virtual_server 192.0.2.10 80 {
  protocol TCP
  lb_algo rr
  lb_kind NAT
  real_server 192.0.2.99 80 {
    weight 1
  }
}
`
const lists = `  track_interface {
    eth0
    eth1 weight 3
  }
  track_script {
    s
  }
  track_file {
    f weight 2
  }
  track_process {
    p noreverse
  }
  track_bfd {
    b
  }
  track_virtual_server {
    192.0.2.10 80 TCP weight -30
  }`

test('what is followed has the weight of what it names', async () => {
  const { track } = await instanceOf(lists, '', followed)
  expect(track).toEqual({
    interfaces: [{ name: 'eth1', weight: 3, reverse: false }],
    scripts: [{ name: 's', weight: 10, reverse: false }],
    files: [{ name: 'f', weight: 2, reverse: false }],
    processes: [{ name: 'p', weight: -5, reverse: false }],
    bfd: [{ name: 'b', weight: 0, reverse: false }],
    virtualServers: [{ name: '192.0.2.10:80/tcp', weight: -30, reverse: false }],
  })
})

test('an owner follows without weights', async () => {
  const { track } = await instanceOf(`priority 255\n${lists}`, '', followed)
  expect(track).toMatchObject({ interfaces: [], scripts: [], files: [], processes: [], bfd: [{ name: 'b' }] })
})

test('in a sync group only weights of interfaces count, unless it is said', async () => {
  const group = (more: string): string => `${followed}vrrp_sync_group G {\n  group {\n    VI\n  }\n${more}\n}`
  const fixed = await instanceOf(lists, '', group(''))
  expect(fixed.track).toMatchObject({ interfaces: [{ name: 'eth1', weight: 3 }], scripts: [], virtualServers: [] })
  const free = await instanceOf(lists, '', group('sync_group_tracking_weight'))
  expect(free.track).toMatchObject({ interfaces: [{ name: 'eth1', weight: 3 }], scripts: [{ weight: 10 }] })
})

test('in a group the members begin as MASTER only when all of them own', async () => {
  const states = async (priority: string): Promise<readonly string[]> => {
    const member = (name: string, vrid: number): string => `vrrp_instance ${name} {
  state MASTER
  interface eth0
  virtual_router_id ${vrid}
  priority ${name === 'A' ? '255' : priority}
  virtual_ipaddress {
    192.0.2.${vrid}
  }
}`
    const { instances } = await load(
      `vrrp_sync_group G {\n  group {\n    A B\n  }\n}\n${member('A', 1)}\n${member('B', 2)}`,
    )
    return instances.map(({ initialState }) => initialState)
  }
  expect(await states('255')).toEqual(['MASTER', 'MASTER'])
  expect(await states('100')).toEqual(['BACKUP', 'BACKUP'])
})

test('rules without a preference count down', async () => {
  const rules =
    'virtual_rules {\nfrom 10.0.0.0/8 lookup 100\nfrom 10.0.0.0/9 lookup 100 preference 7\nto 10.0.0.0/8 lookup 100\n}'
  expect((await instanceOf(rules)).rules.map(({ preference }) => preference)).toEqual([16_384, 7, 16_383])
})

test('definitions: scripts, files, processes, bfd', async () => {
  const { config } = await loadText(conf(lists, '', followed))
  expect(config?.vrrp.scripts).toMatchObject([
    { name: 's', script: { words: ['/bin/true'], user: 'nobody' }, interval: 1000, timeout: 1000, rise: 1, fall: 1 },
  ])
  expect(config?.trackFiles).toMatchObject([{ name: 'f', path: '/tmp/f', weight: 1, reverse: false, init: undefined }])
  expect(config?.vrrp.processes).toMatchObject([{ process: 'nginx', match: 'exact', fullCommand: false, quorum: 1 }])
  expect(config?.bfdInstances).toMatchObject([{ neighbor: '192.0.2.9', minTx: 10, idleTx: 1000, ttl: 255, vrrp: true }])
})

test('an error takes its block out, and what cannot do without it; the others run', async () => {
  const { config, leftOut } = await loadText(`vrrp_script broken {
  script /bin/true
  interval never
}
vrrp_sync_group G {
  group {
    A B
  }
}
vrrp_instance A {
  virtual_router_id 1
  interface eth0
  virtual_ipaddress {
    192.0.2.1
  }
  track_script {
    broken
  }
}
vrrp_instance B {
  virtual_router_id 2
  interface eth0
  virtual_ipaddress {
    192.0.2.2
  }
}
vrrp_instance C {
  virtual_router_id 2
  interface eth0
  virtual_ipaddress {
    192.0.2.3
  }
}`)
  expect(leftOut).toEqual(['vrrp_script broken', 'vrrp_instance C', 'vrrp_instance A'])
  expect(config?.vrrp.instances.map(({ name }) => name)).toEqual(['B'])
  expect(config?.vrrp.syncGroups).toMatchObject([{ name: 'G', instances: ['B'] }])
})

test('global settings and interface lists', async () => {
  const vrrp = await load(`global_defs {
  vrrp_garp_interval 0.01
  dynamic_interfaces allow_if_changes
  vrrp_iptables IN
  vrrp_cpu_affinity 0 3
  vrrp_rt_priority 50
}
interface_up_down_delays {
  eth0 1.5
  eth1 1 2
}
linkbeat_interfaces {
  eth1 ETHTOOL
}
garp_group {
  garp_interval 0.5
  interfaces {
    eth0 eth1
  }
}`)
  expect(vrrp.globals).toMatchObject({
    garpInterval: 10,
    dynamicInterfaces: 'changes',
    iptables: { input: 'IN', output: undefined },
    processors: [0, 3],
    realtimePriority: 50,
    defaultInterface: 'eth0',
  })
  expect(vrrp.linkDelays).toEqual([
    { interface: 'eth0', down: 1500, up: 1500 },
    { interface: 'eth1', down: 1000, up: 2000 },
  ])
  expect(vrrp.linkbeat).toEqual([{ interface: 'eth1', how: 'ETHTOOL' }])
  expect(vrrp.garpGroups).toEqual([{ interfaces: ['eth0', 'eth1'], garpInterval: 500, naInterval: 0 }])
})

test('no secret is shown', async () => {
  const secret = 's3cr3t'.repeat(6)
  const lines = `authentication {\nauth_type PASS\nauth_pass ${secret}\n}`
  for (const each of [lines, `auth_hmac {\nkey 1 ${secret}\n}`]) {
    const { config } = await loadText(conf(each))
    if (config === undefined) throw new Error('nothing was loaded')
    expect(JSON.stringify(config)).toContain(secret)
    expect(JSON.stringify(effectiveJson(config))).not.toContain(secret)
  }
})

const remarks: readonly (readonly [name: string, lines: string, globals: string, codes: string])[] = [
  ['a weight that is clamped away', 'priority 254\ntrack_script {\ns weight 5\n}', '', 'W075'],
  ['a weight that counts', 'priority 100\ntrack_script {\ns weight 60\n}', '', ''],
  ['a small weight', 'priority 100\ntrack_script {\ns weight 2\n}', '', 'N012'],
  ['the own interface', 'track_interface {\neth0\n}\ntrack_script {\ns\n}', '', 'W077'],
  ['an unused script', '', '', 'W080'],
  ['half an authentication', 'track_script {\ns\n}\nauthentication {\nauth_type PASS\n}', '', 'W071'],
  ['a short key', 'track_script {\ns\n}\nauth_hmac {\nkey 1 short\n}', '', 'E022'],
  [
    'a key that is not there',
    `track_script {\ns\n}\nauth_hmac {\nkey 1 ${'k'.repeat(40)}\nactive_key 2\n}`,
    '',
    'E040',
  ],
  ['an arbiter of our own', 'track_script {\ns\n}\narbitration {\naddresses {\n192.0.2.10\n}\n}', '', 'W083'],
  ['strict and a delay', 'track_script {\ns\n}\npreempt_delay 3\naccept', 'vrrp_version 3\nvrrp_strict', 'W081'],
  ['a virtual server that is not there', 'track_script {\ns\n}\ntrack_virtual_server {\n192.0.2.77 80\n}', '', 'E040'],
  [
    'peers that are this machine',
    'track_script {\ns\n}\nunicast_src_ip 192.0.2.1\nunicast_peer {\n192.0.2.1\n192.0.2.2\n}',
    '',
    'N015',
  ],
  ['unicast with use_vmac', 'track_script {\ns\n}\nuse_vmac\nunicast_peer {\n192.0.2.2\n}', '', 'W087'],
  ['a route over nothing', 'track_script {\ns\n}\nvirtual_routes {\n10.0.0.0/8 via 192.0.2.3\n}', '', 'W085'],
  ['a rule without preference', 'track_script {\ns\n}\nvirtual_rules {\nfrom 10.0.0.0/8 lookup 100\n}', '', 'W086'],
  [
    'AH and MASTER',
    'track_script {\ns\n}\nstate MASTER\npriority 9\nauthentication {\nauth_type AH\nauth_pass x\n}',
    '',
    'W063',
  ],
  ['an empty list of addresses', 'track_script {\ns\n}', 'notification_email {\n}', 'W084'],
  ['the same address twice', 'track_script {\ns\n}\nvirtual_ipaddress_excluded {\n192.0.2.10\n}', '', 'W065'],
  ['accept and no_accept', 'track_script {\ns\n}\naccept\nno_accept', '', 'W063'],
]

test.for(remarks)('said of %s', async ([, lines, globals, codes]) => {
  const script = 'vrrp_script s {\n  script /bin/true\n  weight 50\n}'
  const { diagnostics } = await loadText(conf(lines, `enable_script_security\n${globals}`, script))
  const said = diagnostics.map(brief).map((each) => each.split(' ')[0] ?? '')
  expect(said.filter((each) => each !== 'W028').join(' ')).toBe(codes)
})

test('track_group: interfaces of static entries', async () => {
  const rest = `track_group G {
  group { VI }
}
track_group H {
  group { VI }
}
static_ipaddress {
  10.1.0.1/24 dev eth1 track_group G
  10.2.0.1/24 dev eth2
  10.3.0.1/24 dev eth3 no_track track_group G
  10.4.0.1/24 dev eth0 track_group G
}
static_routes {
  10.8.0.0/16 dev eth4 track_group H
  10.9.0.0/16 dev eth1 track_group H
}
static_rules {
  from 10.0.0.0/8 iif eth5 table 7 preference 9 track_group G
}`
  const followed = async (lines: string) => (await instanceOf(lines, '', rest)).track.interfaces
  const fault = (name: string) => ({ name, weight: 0, reverse: false })
  expect(await followed('')).toEqual([fault('eth1'), fault('eth4'), fault('eth5')])
  expect(await followed('priority 255')).toHaveLength(3)
  expect(await followed('dont_track_primary')).toEqual([fault('eth1'), fault('eth0'), fault('eth4'), fault('eth5')])
  expect(await followed('track_interface {\n eth1\n eth4 weight 5\n}')).toHaveLength(4)
})

test.for([
  ['nothing asked for', '', []],
  ['use_vmac_addr', 'use_vmac_addr', ['10.0.1.1', 'fd00::1']],
  ['use_vmac_addr with use_vmac', 'use_vmac\nuse_vmac_addr', ['10.0.1.1', 'fd00::1']],
  ['use_vmac of an address', '', ['10.0.1.2', '10.0.0.2'], ' use_vmac'],
  ['use_vmac of an address and of the instance', 'use_vmac', ['10.0.1.2'], ' use_vmac'],
] as const)('addresses on a VMAC of their own: %s', async ([, lines, wanted, mark = '']) => {
  const list = `virtual_ipaddress_excluded {
    10.0.1.1 dev eth1
    10.0.1.2 dev ${mark === '' ? 'eth0' : 'eth1'}${mark}
    10.0.0.2 dev eth0${mark}
    fd00::1
  }`
  const { addresses, excluded } = await instanceOf(`${lines}\n${list}`)
  const found = [...addresses, ...excluded].flatMap((each) => (each.useVmac ? [each.address] : []))
  expect(found).toEqual(wanted)
})

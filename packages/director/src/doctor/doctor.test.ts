import type { Config } from '@ipvs-director/config'
import { address } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { config as makeConfig, realServer, virtualServer } from '../testing/config.ts'
import type { DirectorFacts, Facts, Interface } from './facts.ts'
import { sysctlFile } from './facts.ts'
import { commandOf, worstFirst, type Found } from './findings.ts'
import { looks } from './looks.ts'
import { keeping } from './mend.ts'
import { lookAtRealServer } from './real-server-looks.ts'
import { covers } from './ways.ts'

const at = (text: string) => {
  const [ip = '', length = '32'] = text.split('/')
  return { address: address(ip), prefix: Number(length) }
}
const link = (name: string, addresses: readonly string[] = [], more: Partial<Interface> = {}): Interface => ({
  name,
  ...{ up: true, loopback: name === 'lo', kind: undefined, mtu: 1500 },
  addresses: addresses.map(at),
  ...more,
})

/** A director on which nothing is wrong: one interface, the VIP on it, one real server next door. */
const healthy = {
  '/proc/net/ip_vs': 'IP Virtual Server',
  '/proc/modules': 'ip_vs_wrr 16384 1 - Live\nip_vs 163840 3 ip_vs_wrr, Live',
  '/lib/modules/6.1.0/modules.dep': 'kernel/net/netfilter/ipvs/ip_vs_mh.ko:',
  '/proc/sys/net/ipv4/vs/expire_nodest_conn': '1',
  '/proc/sys/net/ipv4/vs/conn_reuse_mode': '1',
  '/proc/7/status': 'Name: node\nCapEff:\t000001ffffffffff',
}

interface Change {
  readonly files?: Record<string, string>
  readonly config?: Config
  readonly facts?: Partial<DirectorFacts>
}

function facts({ files = {}, config, facts: more }: Change = {}): DirectorFacts {
  const texts: Record<string, string | undefined> = { ...healthy, ...files }
  return {
    release: '6.1.0',
    file: (path) => texts[path],
    interfaces: [link('lo', ['127.0.0.1/8']), link('eth0', ['192.0.2.2/24', '192.0.2.1/32'])],
    ways: [
      { family: 'inet', destination: undefined, gateway: address('192.0.2.254'), interface: 'eth0' },
      {
        family: 'inet',
        destination: { address: address('192.0.2.0'), length: 24 },
        gateway: undefined,
        interface: 'eth0',
      },
    ],
    programs: [{ pid: 9, name: 'chronyd', commandLine: '/usr/sbin/chronyd -F 1' }],
    firewall: '',
    now: new Date('2026-01-01'),
    node: '22.1.0',
    addonTrouble: undefined,
    pid: 7,
    configFile: '/etc/keepalived/keepalived.conf',
    config: config ?? conf(),
    strays: undefined,
    configTrouble: undefined,
    ...more,
  }
}

type Service = Parameters<typeof virtualServer>[0]
function conf(service: Service = {}, vrrp: readonly unknown[] = []): Config {
  const virtual = virtualServer({ realServers: [realServer('192.0.2.11:80')], ...service })
  return { ...makeConfig([virtual]), vrrp: { instances: vrrp } } as Config
}
const forwarded = (method: 'masq' | 'tunnel' | 'droute', server = '192.0.2.11:80'): Config =>
  conf({ realServers: [realServer(server, { forwarding: { method, tunnel: undefined } })] })
const instance = { addresses: [{ address: '192.0.2.1' }], excluded: [], lvsSyncDaemonInterface: undefined }

const findings = (change: Change): Found[] => worstFirst(looks.flatMap((look) => look(facts(change))))
const troubles = (change: Change): string[] =>
  findings(change).flatMap(({ name, verdict }) =>
    verdict === 'fine' || verdict === 'note' ? [] : [`${verdict} ${name}`],
  )

test('nothing is wrong on a director that is right', () => {
  expect(troubles({})).toEqual([])
  expect(findings({}).length).toBeGreaterThan(8)
})

const program = (name: string) => ({
  programs: [{ pid: 5, name, commandLine: `/usr/sbin/${name} -D` }, ...facts().programs],
})
const vs = (name: string, value: string) => ({ [`/proc/sys/net/ipv4/vs/${name}`]: value })

test.for<[string, Change, string[]]>([
  ['no module for the scheduler', { config: conf({ scheduler: 'sh' }) }, ['bad module']],
  ['a module that can be loaded', { config: conf({ scheduler: 'mh' }) }, []],
  ['a module nobody can tell of', { config: conf({ scheduler: 'sh' }), facts: { release: '5.0' } }, ['unknown module']],
  [
    'a kernel without IPVS and without modules',
    {
      files: {},
      facts: { file: (path) => (path === '/proc/7/status' ? 'CapEff:\tffff' : undefined) },
    },
    ['bad module', 'unknown module', 'unknown ipvs-setting'],
  ],
  ['an engine without its module', { config: conf({ persistenceEngine: 'sip' }) }, ['bad module']],
  ['removed servers keep connections', { files: vs('expire_nodest_conn', '0') }, ['warning expire-nodest-conn']],
  ['reuse on a new kernel', { files: vs('conn_reuse_mode', '0') }, ['warning conn-reuse-mode']],
  [
    'reuse on an old kernel',
    { files: { ...vs('conntrack', '1') }, facts: { release: '5.4.0' } },
    ['warning conn-reuse-mode'],
  ],
  ['rates are off', { files: vs('run_estimation', '0') }, ['warning run-estimation']],
  [
    'persistence to an inhibited server',
    {
      files: vs('expire_quiescent_template', '0'),
      config: conf({ persistenceTimeout: 50, realServers: [realServer('192.0.2.11:80', { inhibitOnFailure: true })] }),
    },
    ['warning expire-quiescent-template'],
  ],
  ['the same without persistence', { files: vs('expire_quiescent_template', '0') }, []],
  [
    'failover without a sync daemon',
    { files: vs('sloppy_tcp', '0'), config: conf({}, [instance]) },
    ['warning sloppy-tcp'],
  ],
  [
    'NAT without forwarding',
    { files: { '/proc/sys/net/ipv4/ip_forward': '0' }, config: forwarded('masq') },
    ['bad ip-forward'],
  ],
  ['DR does not need it', { files: { '/proc/sys/net/ipv4/ip_forward': '0' } }, []],
  ['no VIP', { facts: { interfaces: [link('eth0', ['192.0.2.2/24'])] } }, ['warning vip']],
  [
    'a VIP that VRRP brings',
    { facts: { interfaces: [link('eth0', ['192.0.2.2/24'])] }, config: conf({}, [instance]) },
    [],
  ],
  [
    'a VIP put on a backup by hand',
    { facts: { strays: [{ instance: 'VI_1', addresses: ['192.0.2.1'] }] }, config: conf({}, [instance]) },
    ['bad stray'],
  ],
  ['no VIP put on a backup', { facts: { strays: [] }, config: conf({}, [instance]) }, []],
  ['DR through a router', { config: forwarded('droute', '198.51.100.9:80') }, ['bad dr-neighbour']],
  ['no route', { config: forwarded('droute', '198.51.100.9:80'), facts: { ways: [] } }, ['bad dr-neighbour']],
  [
    'NAT through a router',
    { config: forwarded('masq', '198.51.100.9:80'), files: { '/proc/sys/net/ipv4/ip_forward': '1' } },
    ['warning nat-return'],
  ],
  ['a tunnel on an ordinary link', { config: forwarded('tunnel', '198.51.100.9:80') }, ['warning tunnel-mtu']],
  [
    'a tunnel with room',
    { config: forwarded('tunnel'), facts: { interfaces: [link('eth0', ['192.0.2.1'], { mtu: 1520 })] } },
    [],
  ],
  ['keepalived beside us', { facts: program('keepalived') }, ['bad other-writer']],
  [
    'both start at boot',
    {
      files: {
        '/etc/systemd/system/multi-user.target.wants/keepalived.service': '[Unit]',
        '/etc/systemd/system/multi-user.target.wants/ipvs-director.service': '[Unit]',
      },
    },
    ['warning other-writer'],
  ],
  [
    'its own real server, with a backup',
    { config: conf({ realServers: [realServer('192.0.2.2:80')] }, [instance]) },
    ['warning loop'],
  ],
  [
    'the same with backup_only',
    { config: conf({ realServers: [realServer('192.0.2.2:80')] }, [instance]), files: vs('backup_only', '1') },
    [],
  ],
  ['nobody keeps the clock', { facts: { programs: [] } }, ['warning time']],
  ['a clock that was never set', { facts: { now: new Date(0) } }, ['bad time']],
  ['an old Node.js', { facts: { node: '20.18.1' } }, ['bad node']],
  ['no addon', { facts: { addonTrouble: 'not built' } }, ['bad addon']],
  ['a faulty file', { facts: { configTrouble: '2 errors' } }, ['bad config']],
  ['not root, no director', { files: { '/proc/7/status': 'CapEff:\t0' } }, ['unknown capabilities']],
  [
    'a director without CAP_NET_ADMIN',
    {
      files: { '/proc/5/status': 'CapEff:\t0000000000002080' },
      facts: {
        programs: [{ pid: 5, name: 'node', commandLine: 'node /usr/lib/ipvs-director.js -n' }, ...facts().programs],
      },
    },
    ['bad capabilities'],
  ],
  [
    'connection tracking nearly full',
    {
      files: { '/proc/sys/net/netfilter/nf_conntrack_count': '90', '/proc/sys/net/netfilter/nf_conntrack_max': '100' },
    },
    ['warning conntrack'],
  ],
])('%s', ([, change, expected]) => {
  expect(troubles(change)).toEqual(expected)
})

/** As `nft list ruleset` prints it. */
const nft = (policy: string, ...rules: string[]): string => `table inet filter {
	chain input {
		type filter hook input priority filter; policy ${policy};
		ct state established,related accept
		tcp dport { 22, 80 } accept
${rules.map((rule) => `\t\t${rule}\n`).join('')}	}

	chain forward {
		type filter hook forward priority filter; policy drop;
	}
}`

test.for<[string, string, string[]]>([
  ['nothing', '', []],
  ['nft, open', nft('accept'), []],
  ['nft, closed', nft('drop'), ['bad firewall']],
  ['nft, closed by a last rule', nft('accept', 'counter packets 0 bytes 0 drop'), ['bad firewall']],
  ['nft, closed but for VRRP', nft('drop', 'meta l4proto vrrp accept'), []],
  ['nft, by another word', nft('drop', 'ip protocol vrrp accept'), []],
  ['nft, by number', nft('drop', 'ip protocol 112 accept'), []],
  ['nft, a network that is trusted', nft('drop', 'ip saddr 10.0.0.0/8 accept'), ['warning firewall']],
  ['nft, VRRP refused', nft('accept', 'meta l4proto vrrp counter packets 3 bytes 120 drop'), ['bad firewall']],
  ['nft, the group refused', nft('accept', 'ip daddr 224.0.0.18 reject'), ['bad firewall']],
  ['iptables, open', ':INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', []],
  ['iptables, closed', ':INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT', ['bad firewall']],
  ['iptables, loopback is trusted', ':INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT', ['bad firewall']],
  ['iptables, an interface is trusted', ':INPUT DROP [0:0]\n-A INPUT -i eth1 -j ACCEPT', ['warning firewall']],
  [
    'iptables, a last rule',
    ':INPUT ACCEPT [0:0]\n-A INPUT -j REJECT --reject-with icmp-port-unreachable',
    ['bad firewall'],
  ],
  ['iptables, with VRRP', ':INPUT DROP [0:0]\n-A INPUT -p vrrp -j ACCEPT', []],
  ['iptables, VRRP dropped', ':INPUT ACCEPT [0:0]\n-A INPUT -p 112 -j DROP', ['bad firewall']],
])('the firewall and VRRP: %s', ([, firewall, expected]) => {
  expect(troubles({ facts: { firewall }, config: conf({}, [instance]) })).toEqual(expected)
  expect(troubles({ facts: { firewall } })).toEqual([])
})

test('every finding that is wrong says why; commands are single lines', () => {
  for (const finding of findings({ facts: { programs: [], interfaces: [], ways: [], addonTrouble: 'x' } })) {
    if ('why' in finding) {
      expect(finding.why).toMatch(/\.$|:$/)
      for (const command of finding.mend) expect(command).not.toContain('\n')
    }
  }
})

const quiet = {
  '/proc/sys/net/ipv4/conf/all/arp_ignore': '1',
  '/proc/sys/net/ipv4/conf/all/arp_announce': '2',
}
const vip = address('192.0.2.1')

const onServer = (
  files: Record<string, string>,
  interfaces: readonly Interface[],
  method: 'dr' | 'tun' | 'nat' = 'dr',
) => lookAtRealServer({ ...facts({ files }), interfaces } satisfies Facts, { vips: [vip], method })
const wrongOn = (...args: Parameters<typeof onServer>): string[] =>
  onServer(...args).flatMap(({ name, verdict }) =>
    verdict === 'fine' || verdict === 'note' ? [] : [`${verdict} ${name}`],
  )

const eth0 = link('eth0', ['192.0.2.11/24'])

test.for<[string, Parameters<typeof onServer>, string[]]>([
  ['is right', [quiet, [link('lo', ['192.0.2.1/32']), eth0]], []],
  ['is untouched', [{}, [link('lo'), eth0]], ['bad vip', 'bad arp-ignore', 'bad arp-announce']],
  ['has the VIP on a dummy', [quiet, [link('dummy0', ['192.0.2.1/32'], { kind: 'dummy' }), eth0]], []],
  ['has the VIP in the open', [quiet, [link('eth0', ['192.0.2.11/24', '192.0.2.1/32'])]], ['bad vip']],
  ['has too wide a VIP', [quiet, [link('lo', ['192.0.2.1/24']), eth0]], ['bad vip']],
  [
    'says it for one interface only',
    [
      { '/proc/sys/net/ipv4/conf/eth0/arp_ignore': '1', '/proc/sys/net/ipv4/conf/all/arp_announce': '2' },
      [link('lo', ['192.0.2.1']), eth0],
    ],
    [],
  ],
  ['has no tunnel', [quiet, [link('lo', ['192.0.2.1']), eth0], 'tun'], ['bad tunnel']],
  [
    'filters on the tunnel',
    [
      { ...quiet, '/proc/sys/net/ipv4/conf/all/rp_filter': '1' },
      [link('tunl0', ['192.0.2.1'], { kind: 'ipip' }), eth0],
      'tun',
    ],
    ['bad rp-filter'],
  ],
  [
    'has a tunnel that is down',
    [quiet, [link('tunl0', ['192.0.2.1'], { kind: 'ipip', up: false }), eth0], 'tun'],
    ['bad tunnel'],
  ],
  ['has the VIP, with NAT', [{}, [link('lo', ['192.0.2.1']), eth0], 'nat'], ['bad vip']],
])('a real server that %s', ([, args, expected]) => {
  expect(wrongOn(...args)).toEqual(expected)
})

test('what mends an untouched real server, now and at boot', () => {
  const mendings = onServer({}, [link('lo'), eth0]).flatMap((one) => one.mendings ?? [])
  expect(mendings.map(commandOf)).toEqual([
    'ip addr add 192.0.2.1/32 dev lo',
    'sysctl -w net.ipv4.conf.all.arp_ignore=1',
    'sysctl -w net.ipv4.conf.lo.arp_ignore=1',
    'sysctl -w net.ipv4.conf.all.arp_announce=2',
    'sysctl -w net.ipv4.conf.lo.arp_announce=2',
  ])
  expect(keeping(mendings)).toEqual([
    {
      file: '/etc/sysctl.d/60-ipvs-real-server.conf',
      lines: [
        'net.ipv4.conf.all.arp_ignore = 1',
        'net.ipv4.conf.lo.arp_ignore = 1',
        'net.ipv4.conf.all.arp_announce = 2',
        'net.ipv4.conf.lo.arp_announce = 2',
      ],
    },
    { file: '/etc/network/interfaces.d/ipvs-vip', lines: ['iface lo inet static', '    address 192.0.2.1/32'] },
  ])
})

test('names of settings with dots in the interface', () => {
  expect(sysctlFile('net.ipv4.conf.eth0/100.rp_filter')).toBe('/proc/sys/net/ipv4/conf/eth0.100/rp_filter')
})

test('a prefix covers by its leading bits', () => {
  expect(covers({ address: address('10.1.0.0'), length: 15 }, address('10.0.9.9'))).toBe(true)
  expect(covers({ address: address('10.1.0.0'), length: 16 }, address('10.0.9.9'))).toBe(false)
  expect(covers({ address: address('fd00::'), length: 8 }, address('10.0.9.9'))).toBe(false)
})

test('checks of the data path need accept_local where the answers come in', () => {
  const checker = { connection: { address: '192.0.2.1', through: { address: '192.0.2.11' } } }
  const config = conf({ realServers: [realServer('192.0.2.11:80', { checkers: [checker as never] })] })
  const device = { '/proc/sys/net/ipv4/conf/eth0/accept_local': '1' }
  expect(troubles({ config })).toEqual(['bad accept-local'])
  expect(findings({ config })[0]).toMatchObject({ mend: ['sysctl -w net.ipv4.conf.eth0.accept_local=1'] })
  expect(troubles({ config, files: device })).toEqual([])
  expect(troubles({ config, files: { '/proc/sys/net/ipv4/conf/all/accept_local': '1' } })).toEqual([])
})

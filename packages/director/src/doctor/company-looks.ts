/** What else is there: other programs, the firewall, the clock, privileges. */
import { familyOf, type Address } from '@ipvs-director/core'
import { sysctl, type DirectorFacts, type RunningProgram } from './facts.ts'
import { fine, note, unknown, wrong, type Found } from './findings.ts'
import { addressesBy, targets } from './needs.ts'
import { vrrpThrough } from './firewall.ts'
import { holderOf } from './ways.ts'

const isDirector = ({ commandLine }: RunningProgram): boolean => /(^|[/\s])ipvs-director(\.js)?(\s|$)/.test(commandLine)

/** Two writers of one table undo each other's work. */
export function lookAtOtherWriters(facts: DirectorFacts): Found[] {
  const others = [
    { program: 'keepalived', mend: 'systemctl disable --now keepalived' },
    { program: 'ldirectord', mend: 'systemctl disable --now ldirectord' },
    { program: 'kube-proxy', mend: '' },
  ]
  const found = others.flatMap(({ program, mend }): Found[] => {
    const running = facts.programs.filter(
      ({ name, commandLine }) => name === program || commandLine.includes(`/${program} `),
    )
    const [first] = running
    if (first === undefined) return []
    return [
      wrong(
        program === 'kube-proxy' ? 'warning' : 'bad',
        'other-writer',
        `${program} is running (process ${first.pid})`,
        'Both write the IPVS table, and bring the same addresses: each undoes what the other did.',
        mend === '' ? [] : [mend],
      ),
    ]
  })
  const enabled = facts.file('/etc/systemd/system/multi-user.target.wants/keepalived.service')
  const own = facts.file('/etc/systemd/system/multi-user.target.wants/ipvs-director.service')
  if (enabled !== undefined && own !== undefined) {
    found.push(
      wrong(
        'warning',
        'other-writer',
        'keepalived is started at boot, and ipvs-director too',
        'After the next boot both run.',
        ['systemctl disable keepalived'],
      ),
    )
  }
  return found.length > 0 ? found : [fine('other-writer', 'nobody else writes the IPVS table')]
}

/** VRRP is IP protocol 112, to 224.0.0.18 or to the peers. */
export function lookAtFirewall(facts: DirectorFacts): Found[] {
  if ((facts.config?.vrrp.instances.length ?? 0) === 0) return []
  if (facts.firewall === undefined)
    return [unknown('firewall', 'the firewall could not be read (nft or iptables, as root)')]
  const mend = ['nft insert rule inet filter input meta l4proto vrrp accept', 'iptables -I INPUT -p vrrp -j ACCEPT']
  const why = 'Advertisements of the other director are not heard: both become master.'
  switch (vrrpThrough(facts.firewall)) {
    case 'refused':
      return [wrong('bad', 'firewall', 'the firewall has a rule that refuses VRRP', why, mend)]
    case 'not taken':
      return [wrong('bad', 'firewall', 'the firewall drops what no rule takes, and none takes protocol 112', why, mend)]
    case 'perhaps':
      return [
        wrong('warning', 'firewall', 'no rule of the firewall names protocol 112; a wider one may take it', why, mend),
      ]
    case 'taken':
      return [fine('firewall', 'the firewall does not stop VRRP')]
  }
}

/** A director that is a real server as well: its backup would balance what the master has balanced already. */
export function lookAtLoops(facts: DirectorFacts): Found[] {
  const own = [...new Set(addressesBy(facts.config, 'droute').concat(addressesBy(facts.config, 'tunnel')))].filter(
    (server): server is Address => !isLoopback(server) && holderOf(facts, server) !== undefined,
  )
  if (own.length === 0) return []
  const text = `${own.join(', ')}: a real server, and this machine`
  const backup = (facts.config?.vrrp.instances.length ?? 0) > 0
  if (!backup) return [note('loop', `${text}; what is sent to it stays here`)]
  if (sysctl(facts, 'net.ipv4.vs.backup_only') === '1') return [fine('loop', `${text}; backup_only is 1`)]
  return [
    wrong(
      'warning',
      'loop',
      text,
      'While this machine is backup, its own IPVS table balances what the master sends it, and may send it back: a packet ' +
        'goes round until its TTL ends. With a sync daemon backup_only ends that; without one, select by fwmark only packets ' +
        "that do not come from the other director's MAC address.",
      ['sysctl -w net.ipv4.vs.backup_only=1'],
    ),
  ]
}

const isLoopback = (address: Address): boolean =>
  familyOf(address) === 'inet' ? address.startsWith('127.') : address === '::1'

const timeKeepers = ['chronyd', 'ntpd', 'ntpsec', 'systemd-timesyn', 'ptp4l', 'phc2sys', 'timemaster']

export function lookAtTime({ now, programs, file }: DirectorFacts): Found[] {
  const why = "Certificates are judged by it, and the two directors' logs cannot be laid beside each other."
  if (now.getUTCFullYear() < 2025) {
    return [wrong('bad', 'time', `the clock says ${now.toISOString()}`, why, ['apt install chrony'])]
  }
  const keeper = programs.find(({ name }) => timeKeepers.includes(name))
  if (keeper !== undefined) return [fine('time', `${keeper.name} keeps the clock`)]
  if (file('/run/systemd/timesync/synchronized') !== undefined) return [fine('time', 'the clock is synchronised')]
  return [wrong('warning', 'time', 'nothing seems to keep the clock right', why, ['apt install chrony'])]
}

/** Numbers of linux/capability.h. */
const CAP_SETUID = 7
const CAP_NET_ADMIN = 12
const CAP_NET_RAW = 13

export function lookAtPrivileges(facts: DirectorFacts): Found[] {
  const director = facts.programs.find(isDirector)
  const pid = director?.pid ?? facts.pid
  const who = director === undefined ? 'this program, as it was started now' : `the director (process ${pid})`
  const status = facts.file(`/proc/${pid}/status`)
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(status ?? '')?.[1]
  if (effective === undefined) return [unknown('capabilities', `capabilities of ${who} could not be read`)]
  const has = (bit: number): boolean => ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 1n
  const needed: [string, number][] = [['CAP_NET_ADMIN', CAP_NET_ADMIN]]
  if ((facts.config?.vrrp.instances.length ?? 0) > 0) needed.push(['CAP_NET_RAW', CAP_NET_RAW])
  if (targets(facts.config).length > 0) needed.push(['CAP_SETUID', CAP_SETUID])
  const missing = needed.filter(([, bit]) => !has(bit)).map(([name]) => name)
  if (missing.length === 0) return [fine('capabilities', `${who} has ${needed.map(([name]) => name).join(', ')}`)]
  if (director === undefined) return [unknown('capabilities', 'no director is running; run this as root to see all')]
  return [
    wrong(
      'bad',
      'capabilities',
      `${who} lacks ${missing.join(', ')}`,
      'The kernel refuses what they permit: writing the IPVS table, VRRP, probers of another user.',
      ['systemctl edit ipvs-director   # AmbientCapabilities=, CapabilityBoundingSet='],
    ),
  ]
}

export function lookAtProgram(facts: DirectorFacts): Found[] {
  const [major = 0, minor = 0] = facts.node.split('.').map(Number)
  const old = major < 20 || (major === 20 && minor < 19)
  return [
    old
      ? wrong('bad', 'node', `Node.js is ${facts.node}`, 'The oldest that works is 20.19.', ['apt install nodejs'])
      : fine('node', `Node.js is ${facts.node}`),
    facts.addonTrouble === undefined
      ? fine('addon', 'the native addon loads')
      : wrong(
          'bad',
          'addon',
          `the native addon cannot be used: ${facts.addonTrouble}`,
          'Without it the kernel cannot be spoken to.',
        ),
    facts.configTrouble === undefined
      ? fine('config', `${facts.configFile} can be run`)
      : wrong(
          'bad',
          'config',
          `${facts.configFile}: ${facts.configTrouble}`,
          'What has an error is left out, or nothing runs.',
          [`ipvs-ctl check ${facts.configFile}`],
        ),
  ]
}

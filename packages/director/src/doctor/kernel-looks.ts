/** The kernel: its modules, and the settings of IPVS. */
import { kernelAtLeast, sysctl, type DirectorFacts, type Facts } from './facts.ts'
import { fine, note, unknown, wrong, type Found } from './findings.ts'
import { targets } from './needs.ts'

/** Whether a module is in the kernel, can be loaded, or is not there. */
export function moduleState(facts: Facts, name: string): 'loaded' | 'built in' | 'loadable' | 'absent' | 'unknown' {
  const file = facts.file('/proc/modules')
  if (file?.split('\n').some((line) => line.startsWith(`${name} `)) === true) return 'loaded'
  const folder = `/lib/modules/${facts.release}`
  const builtIn = facts.file(`${folder}/modules.builtin`)
  const loadable = facts.file(`${folder}/modules.dep`)
  const has = (list: string | undefined): boolean => list?.includes(`/${name}.ko`) === true
  if (has(builtIn)) return 'built in'
  if (has(loadable)) return 'loadable'
  return loadable === undefined ? 'unknown' : 'absent'
}

/** Every module the configuration needs, with what for. */
function neededModules({ config }: DirectorFacts): Map<string, string> {
  const needed = new Map([['ip_vs', 'any virtual server']])
  for (const service of config?.virtualServers ?? []) {
    needed.set(`ip_vs_${service.scheduler}`, `lb_algo ${service.scheduler}`)
    if (service.persistenceEngine !== undefined) {
      needed.set(`ip_vs_pe_${service.persistenceEngine}`, `persistence_engine ${service.persistenceEngine}`)
    }
  }
  for (const { forwarding, service } of targets(config)) {
    const { target } = service
    if (forwarding.method === 'masq' && target.kind === 'address' && target.port === 21) {
      needed.set('ip_vs_ftp', 'FTP through NAT')
    }
  }
  return needed
}

export function lookAtModules(facts: DirectorFacts): Found[] {
  return [...neededModules(facts)].map(([name, purpose]): Found => {
    const present = name === 'ip_vs' && facts.file('/proc/net/ip_vs') !== undefined
    const found = present ? 'loaded' : moduleState(facts, name)
    // A kernel without any loadable module has no list of them either.
    const closed = found === 'unknown' && facts.file('/proc/modules') === undefined && name === 'ip_vs'
    const state = closed ? 'absent' : found
    const text = `module ${name} (${purpose}): ${state}`
    if (state === 'absent') {
      return wrong('bad', 'module', text, `The kernel ${facts.release} cannot do it.`, [
        'apt install linux-image-amd64   # the cloud and container kernels leave IPVS out',
      ])
    }
    if (state === 'unknown') return unknown('module', `${text}; there is no /lib/modules/${facts.release} to look in`)
    if (name === 'ip_vs' && state === 'loadable') {
      return wrong('warning', 'module', text, 'A daemon without CAP_SYS_MODULE cannot load it by itself.', [
        'modprobe ip_vs && echo ip_vs > /etc/modules-load.d/ipvs.conf',
      ])
    }
    return fine('module', text)
  })
}

/** A setting below /proc/sys/net/ipv4/vs: what it should be, and what happens when it is not. */
interface Tunable {
  readonly name: string
  /** Whether the value does harm here. */
  readonly harmful: (value: string, facts: DirectorFacts) => boolean
  readonly why: string
  readonly wanted: string
}

const inhibits = ({ config }: DirectorFacts): boolean =>
  config?.virtualServers.some(
    ({ persistenceTimeout, realServers }) =>
      persistenceTimeout > 0 && realServers.some(({ inhibitOnFailure }) => inhibitOnFailure),
  ) ?? false

const failsOver = ({ config }: DirectorFacts): boolean =>
  (config?.vrrp.instances.length ?? 0) > 0 && (config?.virtualServers.length ?? 0) > 0

/** Documentation/networking/ipvs-sysctl.rst of the kernel has what each does. */
export const tunables: readonly Tunable[] = [
  {
    name: 'conn_reuse_mode',
    harmful: (value, facts) => value !== '0' && sysctl(facts, 'net.ipv4.vs.conntrack') === '1' && !reusesWell(facts),
    why:
      'Before Linux 5.9, a client that uses a source port again waits a second while connection tracking is on: ' +
      'the first SYN is dropped.',
    wanted: '0',
  },
  {
    name: 'conn_reuse_mode',
    harmful: (value, facts) => value === '0' && reusesWell(facts),
    why:
      'With 0 a client that uses a source port again goes to the server it had, whatever its weight is by now; ' +
      'that was a work-around for kernels before 5.9.',
    wanted: '1',
  },
  {
    name: 'expire_nodest_conn',
    harmful: (value) => value === '0',
    why:
      'When a failed server is removed, packets of its connections are dropped in silence until they time out; ' +
      'with 1 clients are told at once and connect again.',
    wanted: '1',
  },
  {
    name: 'expire_quiescent_template',
    harmful: (value, facts) => value === '0' && inhibits(facts),
    why:
      'persistence_timeout with inhibit_on_failure: clients that are bound to a failed server (weight 0) stay bound ' +
      'to it until the persistence ends.',
    wanted: '1',
  },
  {
    name: 'sloppy_tcp',
    harmful: (value, facts) => value === '0' && failsOver(facts) && noSync(facts),
    why:
      'After a failover the new master knows no connection and drops what is no SYN. With 1 it takes them on; the ' +
      'schedulers sh and mh choose the same server as before.',
    wanted: '1',
  },
  {
    name: 'run_estimation',
    harmful: (value) => value === '0',
    why: 'The kernel works no rates out: every rate in status and metrics is 0.',
    wanted: '1',
  },
]

const reusesWell = (facts: Facts): boolean => kernelAtLeast(facts, 5, 9)
const noSync = ({ config }: DirectorFacts): boolean =>
  config?.vrrp.instances.every(({ lvsSyncDaemonInterface }) => lvsSyncDaemonInterface === undefined) ?? true

export function lookAtIpvsSettings(facts: DirectorFacts): Found[] {
  if (facts.file('/proc/net/ip_vs') === undefined) {
    return [unknown('ipvs-setting', 'settings of IPVS: ip_vs is not loaded, so there are none to read')]
  }
  const harmful = tunables.flatMap(({ name, harmful: does, why, wanted }): Found[] => {
    const setting = `net.ipv4.vs.${name}`
    const value = sysctl(facts, setting)
    if (value === undefined || !does(value, facts)) return []
    return [
      wrong('warning', name.replaceAll('_', '-'), `${setting} is ${value}`, why, [`sysctl -w ${setting}=${wanted}`]),
    ]
  })
  const others = new Set(
    tunables.map(({ name }) => name).filter((name) => !harmful.some((each) => each.text.includes(name))),
  )
  return [
    ...harmful,
    ...[...others].flatMap((name) => {
      const value = sysctl(facts, `net.ipv4.vs.${name}`)
      return value === undefined ? [] : [fine(name.replaceAll('_', '-'), `net.ipv4.vs.${name} is ${value}`)]
    }),
  ]
}

/** Connection tracking that is nearly full drops packets of everybody; IPVS's own table only gets slow. */
export function lookAtConnectionTables(facts: Facts): Found[] {
  const count = Number(sysctl(facts, 'net.netfilter.nf_conntrack_count'))
  const most = Number(sysctl(facts, 'net.netfilter.nf_conntrack_max'))
  const bits = Number(facts.file('/sys/module/ip_vs/parameters/conn_tab_bits'))
  const found: Found[] = []
  if (most > 0) {
    const text = `connection tracking: ${count} of ${most} entries`
    found.push(
      count > 0.8 * most
        ? wrong('warning', 'conntrack', text, 'When it is full, new connections are dropped.', [
            `sysctl -w net.netfilter.nf_conntrack_max=${most * 4}`,
          ])
        : fine('conntrack', text),
    )
  }
  if (bits > 0)
    found.push(
      note(
        'connection-table',
        `IPVS spreads its connections over ${2 ** bits} buckets (conn_tab_bits ${bits}); 20 for a million connections`,
      ),
    )
  return found
}

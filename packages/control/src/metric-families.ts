import { durationBuckets } from '@ipvs-director/core'
import type { CheckDurations, CheckStatus, ServerStatus, Status, Traffic, VirtualServerStatus } from './model.ts'

/** One value of a family. */
export interface Sample {
  /** `a="b",c="d"`, escaped; empty: none. */
  readonly labels: string
  readonly value: number
  /** Of a histogram. */
  readonly suffix?: '_bucket' | '_count' | '_sum'
}

export interface MetricFamily {
  /** Without the suffixes `_total` and `_info`. Ends in its unit, where it has one. */
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'info' | 'histogram'
  readonly unit?: string
  readonly help: string
  /** undefined: work was done but there is nothing to say (no entry in the kernel, never probed). */
  samples(status: Status): Iterable<Sample | undefined>
}

/** A label with its value escaped as both formats want it: backslash, quote, line end. */
export function label(name: string, value: string): string {
  return `${name}="${value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))}"`
}

const seconds = (milliseconds: number): number => milliseconds / 1000
const bit = (value: boolean): number => (value ? 1 : 0)

type Value<T> = (one: T) => number | undefined

function whole(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: Value<Status>,
  unit?: string,
): MetricFamily {
  return {
    name: `ipvs_director_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    *samples(status) {
      yield sample('', value(status))
    },
  }
}

function perService(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: Value<VirtualServerStatus>,
  unit?: string,
): MetricFamily {
  return {
    name: `ipvs_director_virtual_server_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    *samples({ virtualServers }) {
      for (const service of virtualServers) yield sample(label('virtual_server', service.name), value(service))
    },
  }
}

function perServer(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: Value<ServerStatus>,
  unit?: string,
  more: (server: ServerStatus) => string = () => '',
): MetricFamily {
  return {
    name: `ipvs_director_real_server_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    *samples({ virtualServers }) {
      for (const service of virtualServers) {
        const above = label('virtual_server', service.name)
        for (const server of service.servers) {
          const found = value(server)
          yield found === undefined
            ? undefined
            : sample(`${above},${label('real_server', server.name)}${more(server)}`, found)
        }
      }
    },
  }
}

function perCheck(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: Value<CheckStatus>,
  unit?: string,
): MetricFamily {
  return {
    name: `ipvs_director_check_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    *samples({ virtualServers }) {
      for (const service of virtualServers) {
        const above = label('virtual_server', service.name)
        for (const server of service.servers) {
          const place = `${above},${label('real_server', server.name)}`
          for (const [i, check] of server.checks.entries()) {
            // Two equal checks of one server must not become one series.
            const which = `${label('check', check.kind)},${label('target', check.target)},${label('index', String(i))}`
            yield sample(`${place},${which}`, value(check))
          }
        }
      }
    },
  }
}

function sample(labels: string, value: number | undefined): Sample | undefined {
  return value === undefined ? undefined : { labels, value }
}

function proberFamily(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: Value<Status['probers'][number]>,
): MetricFamily {
  return {
    name: `ipvs_director_prober_${name}`,
    type,
    help,
    *samples({ probers }) {
      for (const prober of probers) yield sample(label('prober', prober.name), value(prober))
    },
  }
}

/** Counters and gauges of the kernel, for services and for servers alike. */
function trafficFamilies(
  make: (name: string, type: MetricFamily['type'], help: string, value: Value<Traffic>, unit?: string) => MetricFamily,
): MetricFamily[] {
  return [
    make('active_connections', 'gauge', 'Connections established now.', (t) => t.activeConnections),
    make('inactive_connections', 'gauge', 'Connections in any other state now.', (t) => t.inactiveConnections),
    make('connections', 'counter', "Connections since the kernel's entry was made.", (t) => t.connections),
    make('incoming_bytes', 'counter', 'Bytes towards the real servers.', (t) => t.inBytes, 'bytes'),
    make('outgoing_bytes', 'counter', 'Bytes from the real servers (seen for NAT only).', (t) => t.outBytes, 'bytes'),
  ]
}

/** The director, the kernel's table, services, servers and checks. */
export const metricFamilies: readonly MetricFamily[] = [
  {
    name: 'ipvs_director_build',
    type: 'info',
    help: 'Version of the director and of IPVS in the kernel.',
    *samples({ version, kernel }) {
      yield { labels: `${label('version', version)},${label('ipvs', kernel.ipvs)}`, value: 1 }
    },
  },
  whole(
    'start_time_seconds',
    'gauge',
    'When the director started, since 1970.',
    (s) => seconds(s.startedAt),
    'seconds',
  ),
  whole(
    'config_load_time_seconds',
    'gauge',
    'When the running configuration was loaded, since 1970.',
    (s) => seconds(s.config.loadedAt),
    'seconds',
  ),
  whole('config_reloads', 'counter', 'Reloads carried out.', (s) => s.config.reloads),
  whole('config_last_reload_successful', 'gauge', '0 when the last reload was refused.', (s) =>
    bit(s.config.refused === undefined),
  ),
  whole(
    'config_errors',
    'gauge',
    'Errors in the running configuration; what has one does not run.',
    (s) => s.config.errors,
  ),
  whole('config_warnings', 'gauge', 'Warnings about the running configuration.', (s) => s.config.warnings),
  whole('kernel_reachable', 'gauge', '1 when the last exchange with the kernel worked.', (s) =>
    bit(s.kernel.reachable),
  ),
  whole(
    'kernel_audit_time_seconds',
    'gauge',
    "When the kernel's table was last read, since 1970.",
    (s) => (s.kernel.auditedAt === undefined ? undefined : seconds(s.kernel.auditedAt)),
    'seconds',
  ),
  whole('kernel_audits', 'counter', "Readings of the kernel's table.", (s) => s.kernel.audits),
  whole('kernel_writes', 'counter', 'Commands written to the kernel.', (s) => s.kernel.writes),
  whole('kernel_refusals', 'counter', 'Commands the kernel refused.', (s) => s.kernel.refused),
  whole('kernel_drifts', 'counter', "Differences found in the kernel's table and repaired.", (s) => s.kernel.drifts),
  whole('foreign_services', 'gauge', "Services in the kernel's table that are not ours.", (s) => s.foreign.length),
  whole(
    'compare_differences',
    'gauge',
    '--compare: where the kernel is not as this director would have it, now.',
    (s) => s.comparing?.open.length,
  ),
  whole(
    'compare_found',
    'counter',
    '--compare: differences that lasted longer than the checks take.',
    (s) => s.comparing?.counted,
  ),
  whole('compare_brief', 'counter', '--compare: differences that were over before.', (s) => s.comparing?.brief.count),
  whole('compare_looks', 'counter', "--compare: looks at the kernel's table.", (s) => s.comparing?.looks),
  proberFamily('up', 'gauge', '1 while the process that probes runs.', (p) => bit(p.pid !== undefined)),
  proberFamily('checks', 'gauge', 'Checks it carries out.', (p) => p.checks),
  proberFamily('restarts', 'counter', 'How often it had to be started again.', (p) => p.restarts),
  perService('up', 'gauge', '1 while there is quorum.', (v) => bit(v.state === 'up')),
  perService(
    'state_change_time_seconds',
    'gauge',
    'When quorum was last gained or lost, since 1970.',
    (v) => seconds(v.since),
    'seconds',
  ),
  perService('turns', 'counter', 'How often quorum was gained or lost.', (v) => v.turns),
  perService('offered', 'gauge', '0 while the kernel refuses its service.', (v) => bit(v.refused === undefined)),
  perService('alive_weight', 'gauge', 'Sum of the weights of the real servers alive.', (v) => v.aliveWeight),
  perService('quorum', 'gauge', 'Weight that must be alive.', (v) => v.quorum),
  perService('hysteresis', 'gauge', 'Margin around quorum.', (v) => v.hysteresis),
  perService('real_servers', 'gauge', 'Real servers configured.', (v) => v.servers.length),
  perService('sorry_server_active', 'gauge', '1 while the sorry server serves; absent where there is none.', (v) =>
    v.sorryServer === undefined ? undefined : bit((v.sorryServer.wantedWeight ?? 0) > 0),
  ),
  ...trafficFamilies((name, type, help, value, unit) => perService(name, type, help, (v) => value(v.totals), unit)),
  perServer('up', 'gauge', '1 while up; 0 while down or without a verdict.', (r) => bit(r.state === 'up')),
  perServer('unknown', 'gauge', '1 while there is no verdict yet.', (r) => bit(r.state === 'unknown')),
  perServer(
    'failure',
    'info',
    'Kind of the reason, while not up.',
    (r) => (r.state === 'up' ? undefined : 1),
    undefined,
    (r) => `,${label('class', r.class)}`,
  ),
  perServer(
    'state_change_time_seconds',
    'gauge',
    'When it last turned up or down, since 1970.',
    (r) => (r.since === undefined ? undefined : seconds(r.since)),
    'seconds',
  ),
  perServer('turns', 'counter', 'How often it turned up or down.', (r) => r.turns),
  perServer('wanted_weight', 'gauge', 'Weight the kernel should have; absent: no entry.', (r) => r.wantedWeight),
  perServer('kernel_weight', 'gauge', 'Weight the kernel has; absent: no entry.', (r) => r.kernelWeight),
  ...trafficFamilies((name, type, help, value, unit) =>
    perServer(name, type, help, (r) => (r.kernelWeight === undefined ? undefined : value(r.traffic)), unit),
  ),
  perCheck('up', 'gauge', '1 while the check says up; absent without a verdict.', (c) =>
    c.state === 'unknown' ? undefined : bit(c.state === 'up'),
  ),
  perCheck('probes', 'counter', 'Probes made.', (c) => c.probes),
  perCheck('failed_probes', 'counter', 'Probes that failed.', (c) => c.failed),
  perCheck(
    'last_duration_seconds',
    'gauge',
    'What the last probe took.',
    (c) => (c.tookMs === undefined ? undefined : seconds(c.tookMs)),
    'seconds',
  ),
  {
    name: 'ipvs_director_check_duration_seconds',
    type: 'histogram',
    unit: 'seconds',
    help: 'What probes took, by virtual server and kind of check.',
    *samples({ virtualServers }) {
      for (const { name, durations = [] } of virtualServers) {
        for (const each of durations)
          yield* histogram(`${label('virtual_server', name)},${label('check', each.check)}`, each)
      }
    },
  },
]

/** Buckets count what is below, too; numbers are written as OpenMetrics wants them. */
function* histogram(labels: string, { counts, sum }: CheckDurations): Generator<Sample> {
  let total = 0
  for (const [i, count] of counts.entries()) {
    total += count
    const bound = durationBuckets[i]
    const text = bound === undefined ? '+Inf' : bound % 1000 === 0 ? (bound / 1000).toFixed(1) : String(bound / 1000)
    yield { labels: `${labels},${label('le', text)}`, value: total, suffix: '_bucket' }
  }
  yield { labels, value: seconds(sum), suffix: '_sum' }
  yield { labels, value: total, suffix: '_count' }
}

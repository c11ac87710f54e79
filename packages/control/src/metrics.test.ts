import { expect, test } from 'vitest'
import { allMetricFamilies } from './all-metric-families.ts'
import { label } from './metric-families.ts'
import { metricsFormat, renderMetrics } from './metrics.ts'
import { busyStatus, largeStatus, server, splitBrain, status, virtualServer } from './testing/index.ts'

const busy = [...renderMetrics({ ...busyStatus(), vrrp: splitBrain() }, 'openmetrics')].join('')
const line = (start: string): string | undefined => busy.split('\n').find((one) => one.startsWith(start))

test.for([
  ['ipvs_director_build_info', '{version="0.1.0",ipvs="1.2.1"} 1'],
  ['ipvs_director_config_reloads_total', ' 2'],
  ['ipvs_director_config_last_reload_successful', ' 1'],
  ['ipvs_director_virtual_server_up{virtual_server="192.0.2.1:80/tcp"}', ' 1'],
  ['ipvs_director_virtual_server_up{virtual_server="[2001:db8:1234:5678:9abc:def0:1234:5678]:53/udp"}', ' 0'],
  ['ipvs_director_virtual_server_sorry_server_active{virtual_server="192.0.2.1:80/tcp"}', ' 0'],
  ['ipvs_director_real_server_up{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.4:80"}', ' 0'],
  ['ipvs_director_real_server_unknown{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.5:80"}', ' 1'],
  [
    'ipvs_director_real_server_failure_info{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.4:80"',
    ',class="refused"} 1',
  ],
  ['ipvs_director_real_server_wanted_weight{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.3:80"}', ' 1'],
  ['ipvs_director_real_server_kernel_weight{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.3:80"}', ' 0'],
  [
    'ipvs_director_real_server_connections_total{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.2:80"}',
    ' 91882',
  ],
  [
    'ipvs_director_check_last_duration_seconds{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.2:80"',
    ',check="TCP_CHECK",target="10.0.0.2:80",index="0"} 0.0008',
  ],
  ['ipvs_director_vrrp_restarts_total', ' 0'],
  ['ipvs_director_vrrp_worst_loop_lag_seconds', ' 0.003'],
  ['ipvs_director_vrrp_instance_state{vrrp_instance="VI_1",state="master"}', ' 1'],
  ['ipvs_director_vrrp_instance_state{vrrp_instance="VI_1",state="backup"}', ' 0'],
  ['ipvs_director_vrrp_instance_priority{vrrp_instance="VI_1"}', ' 120'],
  ['ipvs_director_vrrp_instance_adverts_rejected_total{vrrp_instance="VI_1",reason="ttl"}', ' 3'],
  ['ipvs_director_vrrp_instance_rival{vrrp_instance="VI_1"}', ' 1'],
  ['ipvs_director_vrrp_group_state{vrrp_group="G1",state="fault"}', ' 0'],
] as const)('%s%s', ([name, rest]) => {
  expect(line(name)).toBe(name + rest)
})

test('what there is not is absent, not zero', () => {
  expect(
    line('ipvs_director_real_server_kernel_weight{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.4:80"}'),
  ).toBeUndefined()
  expect(line('ipvs_director_check_up{virtual_server="192.0.2.1:80/tcp",real_server="10.0.0.5:80"')).toBeUndefined()
})

/** The grammar of OpenMetrics 1.0 that matters here: families together, described before, counters end in _total. */
test('OpenMetrics: each family once, described, its samples together; EOF at the end', () => {
  const lines = busy.split('\n')
  expect(lines.slice(-2)).toEqual(['# EOF', ''])
  const seen = new Set<string>()
  let family = ''
  let type = ''
  const series = new Set<string>()
  for (const one of lines.slice(0, -2)) {
    const described = /^# TYPE (\S+) (gauge|counter|info|histogram)$/.exec(one)
    if (described !== null) {
      family = described[1] ?? ''
      type = described[2] ?? ''
      expect(seen).not.toContain(family)
      seen.add(family)
    } else if (one.startsWith('#')) {
      expect(one).toMatch(new RegExp(`^# (?:HELP|UNIT) ${family} .`))
      const unit = /^# UNIT \S+ (\S+)$/.exec(one)?.[1]
      if (unit !== undefined) expect(family.endsWith(`_${unit}`)).toBe(true)
    } else {
      const sample =
        /^([a-z_]+)((?:\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})?) (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)$/.exec(
          one,
        )
      if (type === 'histogram') expect(sample?.[1], one).toMatch(new RegExp(`^${family}_(?:bucket|sum|count)$`))
      else expect(sample?.[1], one).toBe(family + (type === 'counter' ? '_total' : type === 'info' ? '_info' : ''))
      const identity = (sample?.[1] ?? '') + (sample?.[2] ?? '')
      expect(series).not.toContain(identity)
      series.add(identity)
    }
  }
  expect(seen.size).toBeGreaterThan(40)
})

test('this process is told of, its lag from the second question on', () => {
  const [first, second] = [1, 2].map(() => [...renderMetrics(status(), 'prometheus')].join(''))
  expect(first).toMatch(/^ipvs_director_process_resident_memory_bytes \d{7,}$/m)
  expect(second).toMatch(/^ipvs_director_process_worst_loop_lag_seconds [\d.e-]+$/m)
  expect(second).toMatch(/^ipvs_director_process_open_descriptors \d+$/m)
})

test('a histogram: buckets that count what is below, sum and number', () => {
  const of = 'ipvs_director_check_duration_seconds'
  const labels = 'virtual_server="192.0.2.1:80/tcp",check="TCP_CHECK"'
  expect(busy.split('\n').filter((one) => one.startsWith(`${of}_`))).toEqual([
    `${of}_bucket{${labels},le="0.001"} 40`,
    `${of}_bucket{${labels},le="0.002"} 42`,
    ...['0.005', '0.01', '0.02', '0.05', '0.1', '0.2', '0.5', '1.0', '2.0'].map(
      (le) => `${of}_bucket{${labels},le="${le}"} 42`,
    ),
    `${of}_bucket{${labels},le="5.0"} 43`,
    `${of}_bucket{${labels},le="+Inf"} 44`,
    `${of}_sum{${labels}} 12.5`,
    `${of}_count{${labels}} 44`,
  ])
})

test('without VRRP there is nothing of it', () => {
  expect([...renderMetrics(status(), 'openmetrics')].join('')).not.toContain('vrrp')
})

test('the older format names samples as they are, and has no units and no end', () => {
  const text = [...renderMetrics(status(), 'prometheus')].join('')
  expect(text).toContain('# TYPE ipvs_director_config_reloads_total counter\nipvs_director_config_reloads_total 2\n')
  expect(text).toContain('# TYPE ipvs_director_build_info gauge\n')
  expect(text).not.toMatch(/^# (?:UNIT|EOF)/m)
})

test.for([
  [undefined, 'prometheus'],
  ['text/plain', 'prometheus'],
  ['application/openmetrics-text; version=1.0.0,text/plain;q=0.5', 'openmetrics'],
] as const)('Accept %s: %s', ([accept, format]) => {
  expect(metricsFormat(accept)).toBe(format)
})

test('labels are escaped', () => {
  expect(label('a', 'x"\\\ny')).toBe('a="x\\"\\\\\\ny"')
})

test('names and help follow the conventions', () => {
  for (const { name, type, help, unit } of allMetricFamilies) {
    expect(name).toMatch(/^ipvs_director_[a-z_]+[a-z]$/)
    expect(name).not.toMatch(/_(?:total|info|count|sum|bucket)$/)
    expect(help).toMatch(/\.$/)
    if (type === 'counter' && unit === undefined) expect(name).not.toMatch(/_(?:seconds|bytes)$/)
  }
})

test('a large table comes in small pieces', () => {
  const pieces = [...renderMetrics(largeStatus(10, 1000), 'openmetrics')]
  expect(Math.max(...pieces.map((piece) => piece.split('\n').length))).toBeLessThanOrEqual(260)
})

test('families without a sample are left out, slices of nothing too', () => {
  const idle = virtualServer({
    servers: Array.from({ length: 600 }, (_, i) => server({ name: `s${i}`, kernelWeight: undefined })),
  })
  const text = [...renderMetrics(status({ virtualServers: [idle] }), 'openmetrics')].join('')
  expect(text).not.toContain('real_server_kernel_weight')
  expect(text).toContain('real_server_up{virtual_server="192.0.2.1:80/tcp",real_server="s599"} 1')
})

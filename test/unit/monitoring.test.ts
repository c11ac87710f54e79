/** configs/monitoring: every metric named there exists, and promtool takes the rules. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { allMetricFamilies } from '../../packages/control/src/all-metric-families.ts'
import { findProgram, toolEnvironment } from '../lab/tools.ts'

const folder = fileURLToPath(new URL('../../configs/monitoring/', import.meta.url))
const read = (name: string): string => readFileSync(`${folder}${name}`, 'utf8')
const promtool = findProgram('promtool')

/** As samples are named in both formats. */
const exported = new Set(
  allMetricFamilies.flatMap(({ name, type }) =>
    type === 'histogram'
      ? [`${name}_bucket`, `${name}_sum`, `${name}_count`]
      : name + (type === 'counter' ? '_total' : type === 'info' ? '_info' : ''),
  ),
)

test.for(['alerts.yml', 'alerts.test.yml', 'dashboard.json'])('%s names only metrics that there are', (name) => {
  const named = new Set(read(name).match(/\bipvs_director_[a-z_]+[a-z]\b/g))
  expect(named.size).toBeGreaterThan(2)
  expect([...named].filter((metric) => !exported.has(metric))).toEqual([])
})

interface Dashboard {
  readonly templating: { readonly list: readonly { readonly name: string }[] }
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly type: string
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
    readonly targets?: readonly { readonly expr: string }[]
  }[]
}

describe('the dashboard', () => {
  const { panels, templating } = JSON.parse(read('dashboard.json')) as Dashboard
  test('panels have numbers of their own, lie beside each other, and ask something', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    )
    expect(new Set(cells).size).toBe(cells.length)
    for (const { type, targets, title } of panels) if (type !== 'row') expect(targets, title).not.toHaveLength(0)
  })
  test('uses the variables it declares', () => {
    const declared = [...templating.list.map(({ name }) => name), '__rate_interval']
    const used = panels.flatMap(({ targets }) => targets?.flatMap(({ expr }) => expr.match(/\$\w+/g) ?? []) ?? [])
    expect(used.filter((name) => !declared.includes(name.slice(1)))).toEqual([])
  })
})

describe.skipIf(promtool === undefined)('promtool (skipped without Debian’s prometheus)', () => {
  test.for([
    ['the rules', ['check', 'rules', 'alerts.yml']],
    ['the scrape configuration', ['check', 'config', '--syntax-only', 'prometheus.yml']],
    ['what fires and what does not', ['test', 'rules', 'alerts.test.yml']],
  ] as const)('%s', { timeout: 60_000 }, ([, args]) => {
    const { status, stdout, stderr } = spawnSync(promtool ?? '', args, { cwd: folder, encoding: 'utf8', env: toolEnvironment() }) // prettier-ignore
    expect(stderr + stdout).not.toContain('FAILED')
    expect(status, stderr + stdout).toBe(0)
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, test } from 'vitest'
import { filesInMemory } from './read-file.ts'
import { formatDiagnostics } from './render.ts'
import { convertConfig } from './convert.ts'
import { loadConfig, type LoadOptions } from './load.ts'
import { testCheckers } from './testing/checkers.ts'

/**
 * Configurations beside what they mean (`.json`: the JSON spelling and the effective virtual servers and instances) or what is said of
 * them (`.diagnostics`). One for each idiom and each mistake. `vitest -u` writes what is found; read the difference.
 */
const directory = new URL('cases/', import.meta.url)
const names = readdirSync(directory)
  .filter((name) => name.endsWith('.conf'))
  .map((name) => basename(name, '.conf'))

const given = (name: string): readonly [string, LoadOptions] => {
  const file = `/${name}.conf`
  const read = filesInMemory(new Map([[file, readFileSync(new URL(`${name}.conf`, directory))]]))
  return [file, { checkers: testCheckers, read, configId: 'case', env: {}, random: () => 0 }]
}

const path = (name: string): string => new URL(name, directory).pathname

/** Without places, which the diagnostics show. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, each: unknown) => (key === 'place' ? undefined : each)))

test.for(names.filter((name) => name.startsWith('idiom-')))('%s', async (name) => {
  const { config, diagnostics } = await loadConfig(...given(name))
  const { json } = await convertConfig(...given(name))
  expect(diagnostics.filter((each) => each.severity === 'error')).toEqual([])
  const { instances, syncGroups, scripts } = config?.vrrp ?? {}
  const vrrp = instances?.length === 0 ? {} : { vrrp: plain({ instances, syncGroups, scripts }) }
  const shown = { spelling: json, effective: plain(config?.virtualServers), ...vrrp }
  await expect(`${JSON.stringify(shown, null, 2)}\n`).toMatchFileSnapshot(path(`${name}.json`))
})

test.for(names.filter((name) => !name.startsWith('idiom-')))('%s', async (name) => {
  const { diagnostics, leftOut } = await loadConfig(...given(name))
  const told = diagnostics.filter((each) => each.code !== 'W028')

  const text =
    formatDiagnostics(told).replaceAll(`/${name}.conf:`, `${name}.conf:`) +
    leftOut.map((each) => `left out: ${each}\n`).join('')
  expect(text).not.toBe('')
  await expect(text).toMatchFileSnapshot(path(`${name}.diagnostics`))
})

test('there are forty cases', () => {
  expect(names.length).toBeGreaterThanOrEqual(40)
})

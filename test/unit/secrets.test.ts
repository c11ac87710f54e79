/** What the vocabulary declares secret is shown by nothing that works from a configuration. A lab test asks a director. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { effectiveJson, grammarWith, loadConfig, secretKeywords } from '@ipvs-director/config'
import { splitBrain } from '@ipvs-director/control/testing'
import { arrayLogger } from '@ipvs-director/core/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configTools } from '../../packages/director/src/check-file.ts'
import { logConfig } from '../../packages/director/src/log/dump-config.ts'
import { globalNodes } from '../../packages/director/src/snmp/mib/keepalived-global.ts'
import { serverNodes } from '../../packages/director/src/snmp/mib/keepalived-servers.ts'
import { serviceNodes } from '../../packages/director/src/snmp/mib/keepalived-services.ts'
import { keepalivedVrrpNodes } from '../../packages/director/src/snmp/mib/keepalived-vrrp.ts'
import { serviceRows } from '../../packages/director/src/snmp/mib/snapshot.ts'
import { vrrpV2Nodes, vrrpV3Nodes } from '../../packages/director/src/snmp/mib/vrrp-rfc.ts'
import type { Oid } from '../../packages/director/src/snmp/oid.ts'
import { createTree } from '../../packages/director/src/snmp/tree.ts'
import { createDumps } from '../../packages/director/src/surroundings/dumps.ts'
import { snmpSnapshot } from '../../packages/director/src/testing/snmp-snapshot.ts'
import { hush, secretConfig, secretValues } from '../integration/secrets.ts'

let folder: string
let file: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
  file = join(folder, 'keepalived.conf')
  writeFileSync(file, secretConfig)
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

test('every keyword that is declared secret is tried here', () => {
  expect([...secretKeywords(grammarWith(checkers))].sort()).toEqual(Object.keys(secretValues).sort())
  for (const value of Object.values(secretValues)) expect(secretConfig).toContain(value)
})

test('what a director works from has them; what is shown of it has not', async () => {
  const { config } = await loadConfig(file, { checkers })
  if (config === undefined) throw new Error('it was not read')
  const whole = JSON.stringify(config)
  for (const value of ['hushpass', 'hush'.repeat(8), 'hushpath']) expect(whole).toContain(value)
  expect(JSON.stringify(effectiveJson(config))).not.toMatch(hush)
  expect(JSON.stringify(effectiveJson(config))).toContain('http://10.1.0.12:9/***')
  const logger = arrayLogger()
  logConfig(config, logger)
  expect(JSON.stringify(logger.lines)).not.toMatch(hush)
  const dumps = createDumps(folder, logger)
  dumps.state(config, {})
  expect(readFileSync(join(folder, 'ipvs-director.data'), 'utf8')).not.toMatch(hush)
})

test('ipvs-ctl check and config do not show them, convert does: its result is used', async () => {
  expect(JSON.stringify(await configTools.check(file, { configId: undefined, strict: true }))).not.toMatch(hush)
  const shown = await configTools.convert(file, { configId: undefined, withoutSecrets: true })
  expect(JSON.stringify(shown)).not.toMatch(hush)
  expect(shown.conf).toContain('auth_pass ***')
  expect(shown.conf).toContain('key 7 ***')
  const used = await configTools.convert(file, { configId: undefined, withoutSecrets: false })
  expect(used.conf).toContain('auth_pass hushpass')
  const spelled = join(folder, 'keepalived.json')
  writeFileSync(spelled, JSON.stringify(used.json, undefined, 1))
  expect(JSON.stringify(await configTools.check(spelled, { configId: undefined, strict: true }))).not.toMatch(hush)
})

test('SNMP: no object of any MIB', async () => {
  const { config } = await loadConfig(file, { checkers })
  if (config === undefined) throw new Error('it was not read')
  const vrrp = splitBrain()
  const instances = config.vrrp.instances.map(({ name }) => ({ ...vrrp.instances[0]!, name }))
  const base = snmpSnapshot(config.virtualServers, config.vrrp, { vrrp: { ...vrrp, instances } })
  const snapshot = { ...base, config: { ...config, snmp: base.config.snmp } }
  const nodes = [globalNodes, keepalivedVrrpNodes, vrrpV2Nodes, vrrpV3Nodes].flatMap((of) => of(snapshot))
  const rows = await serviceRows(snapshot)
  const tree = createTree([...nodes, ...(await serviceNodes(snapshot, rows)), ...(await serverNodes(rows))])
  const shown: string[] = []
  for (let start: Oid = [1]; ;) {
    const { name, value } = tree.next({ start, include: false, end: [] })
    if (value.type === 'endOfMibView') break
    if ('value' in value) shown.push(value.value instanceof Uint8Array ? Buffer.from(value.value).toString('latin1') : String(value.value)) // prettier-ignore
    start = name
  }
  expect(shown).toEqual(expect.arrayContaining(['VI_1', 'VI_2']))
  expect(shown.filter((text) => hush.test(text))).toEqual([])
})

const lines = secretConfig.split('\n')
const places = Object.entries(secretValues).map(([keyword, value]) => [
  keyword,
  lines.findIndex((line) => line.includes(value)),
] as const) // prettier-ignore

test.for(places)('a mistake on the line of %s, and before it: the excerpt hides it', async ([, at]) => {
  expect(at).toBeGreaterThan(0)
  const mistakes = [
    [...lines.slice(0, at), `${lines[at] ?? ''} and more`, ...lines.slice(at + 1)],
    [...lines.slice(0, at), (lines[at] ?? '').replace(/^(\s*)/, '$1$1nonsense '), ...lines.slice(at)],
    lines.slice(at, at + 1),
    [...lines.slice(0, at), `${lines[at] ?? ''} {`, ...lines.slice(at + 1)],
  ]
  for (const mistake of mistakes) {
    writeFileSync(join(folder, 'mistake.conf'), mistake.join('\n'))
    const checked = await configTools.check(join(folder, 'mistake.conf'), { configId: undefined, strict: true })
    expect([checked.errors > 0, JSON.stringify(checked)]).toEqual([true, expect.not.stringMatching(hush)])
  }
})

/** What is made from the declarations is fresh, and no keyword of keepalived is missing. `vitest -u` writes the files. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { grammarWith, manual, schemaOf, supportTable, type Field } from '@ipvs-director/config'
import { format, resolveConfig } from 'prettier'
import { expect, test } from 'vitest'
import { root } from '../lab/root.ts'
import { keepalivedKeywords } from './keepalived-keywords.ts'

const grammar = grammarWith(checkers)

test('docs/keywords.md', async () => {
  await expect(manual(grammar)).toMatchFileSnapshot(join(root, 'docs/keywords.md'))
})

test('configs/ipvs-director.schema.json', async () => {
  await expect(`${JSON.stringify(schemaOf(grammar), null, 2)}\n`).toMatchFileSnapshot(
    join(root, 'configs/ipvs-director.schema.json'),
  )
})

test('docs/compatibility.md ends with what is done with each keyword', async () => {
  const path = join(root, 'docs/compatibility.md')
  const heading = '## Every keyword\n\n'
  const [text = ''] = readFileSync(path, 'utf8').split(heading)
  const formatted = await format(text + heading + supportTable(grammar), {
    ...(await resolveConfig(path)),
    filepath: path,
  })
  await expect(formatted).toMatchFileSnapshot(path)
})

function declared(): ReadonlySet<string> {
  const names = new Set<string>()
  const seen = new Set<object>()
  const visit = (fields: Readonly<Record<string, Field>>): void => {
    if (seen.has(fields)) return
    seen.add(fields)
    for (const field of Object.values(fields)) {
      for (const name of [field.name, ...(field.aliases ?? [])]) names.add(name)
      if (field.form === 'block') visit(field.fields as Readonly<Record<string, Field>>)
    }
  }
  visit(grammar.fields)
  return names
}

test('every keyword of keepalived is declared', () => {
  const names = declared()
  expect(keepalivedKeywords).toHaveLength(new Set(keepalivedKeywords).size)
  expect(keepalivedKeywords.filter((keyword) => !names.has(keyword))).toEqual([])
})

test('no declared keyword is unknown to keepalived, but the old ones and our own', () => {
  const known = new Set(keepalivedKeywords)
  const others = [...declared()].filter((name) => name !== '' && !known.has(name))
  expect(others.sort()).toEqual([
    'AGENT_CHECK',
    'GRPC_CHECK',
    'addresses',
    'agent_required',
    'arbitration',
    'body',
    'checkers',
    'delay_loop_changing',
    'expect',
    'expect_header',
    'expect_hex',
    'expect_json',
    'expect_regex',
    'header',
    'heartbeat_interface',
    'heartbeat_peer',
    'ipvs_sync',
    'jitter',
    'lvs_id',
    'method',
    'nat_mask',
    'preempt_gate',
    'reconcile_interval',
    'require',
    'send',
    'send_hex',
    'service',
    'step_down',
    'tls',
    'tls_ca',
    'tls_certificate',
    'tls_expiry_failure',
    'tls_expiry_warning',
    'tls_key',
    'tls_name',
    'tls_verify',
    'track_virtual_server',
    'vip_lease',
    'vrrp_vip_lease',
  ])
})

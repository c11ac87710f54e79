import { fc, test as property } from '@fast-check/vitest'
import { expect, vi } from 'vitest'
import { grammarWith } from '../grammar/root.ts'
import type { Json, JsonSchema } from '../kind.ts'
import { schemaOf } from '../schema.ts'
import { testCheckers } from '../testing/checkers.ts'
import { fromSchema } from '../testing/from-schema.ts'
import { convertText, loadText } from '../testing/load-text.ts'

// Many runs, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

interface Shape {
  readonly properties: Readonly<Record<string, { readonly items?: JsonSchema; readonly properties?: JsonSchema }>>
}

const { properties } = schemaOf(grammarWith(testCheckers)) as unknown as Shape

/** Any one block of a kind, with some of its keywords made so that it can run. */
const block = (keyword: string, fixed: (id: number) => object): fc.Arbitrary<object> =>
  fc
    .tuple(fromSchema(properties[keyword]?.items), fc.integer({ min: 1, max: 255 }))
    .map(([json, id]) => ({ ...(json as object), ...fixed(id) }))

const tracked = { track_script: [{ name: 's', weight: 5 }], track_file: [], track_process: [], track_bfd: [] }

const instances = fc.uniqueArray(
  block('vrrp_instance', (id) => ({
    ...tracked,
    name: `VI_${id}`,
    interface: 'eth0',
    virtual_router_id: id,
    track_virtual_server: [],
    virtual_ipaddress: [{ address: '192.0.2.1' }],
    auth_hmac: { key: [{ id: 1, value: 'k'.repeat(32) }] },
  })),
  { maxLength: 3, selector: (each) => (each as { readonly name: string }).name },
)

const config = fc.record({
  global_defs: fromSchema(properties['global_defs']),
  vrrp_script: fc.tuple(block('vrrp_script', () => ({ name: 's' }))),
  vrrp_track_process: fc.array(
    block('vrrp_track_process', (id) => ({ name: `p${id}` })),
    { maxLength: 2 },
  ),
  bfd_instance: fc.array(
    block('bfd_instance', (id) => ({ name: `b${id}` })),
    { maxLength: 2 },
  ),
  static_routes: fc.array(fromSchema(properties['static_routes']?.items), { maxLength: 3 }),
  static_rules: fc.array(fromSchema(properties['static_rules']?.items), { maxLength: 3 }),
  vrrp_instance: instances,
})

const plain = (value: unknown): Json =>
  JSON.parse(JSON.stringify(value ?? null, (key, each: unknown) => (key === 'place' ? undefined : each))) as Json

property.prop([config], { numRuns: 100 })(
  'VRRP in JSON and as keepalived.conf means the same, with the same remarks, and the same again',
  async (json) => {
    const text = JSON.stringify(json)
    const { conf, diagnostics } = await convertText(text)
    // What only reading finds out is left out of the other spelling, and told.
    if (diagnostics.some(({ severity }) => severity === 'error')) return
    const [spelt, printed] = [await loadText(text), await loadText(conf)]
    expect(plain(printed.config)).toEqual(plain(spelt.config))
    expect(printed.leftOut.map((each) => each.split(' ')[0])).toEqual(spelt.leftOut.map((each) => each.split(' ')[0]))
    expect((await convertText(conf)).conf).toBe(conf)
  },
)

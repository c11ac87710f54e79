import { seconds } from '@ipvs-director/core'
import { expect, expectTypeOf, test } from 'vitest'
import type { CheckerBlock, OwnOptions } from './checker-block.ts'
import { block, blocks, boolean, duration, flag, integer, oneOf, text, type Values } from './declare.ts'
import { connection, timing } from './grammar/timing.ts'

const url = blocks('url', 'One page to ask for.', {
  path: text('path', { doc: 'Path.' }),
  noMatch: flag('regex_no_match', { doc: 'x' }),
})
const http = block('HTTP_GET', 'Up when pages answer.', {
  ...connection,
  ...timing,
  url,
  sni: boolean('enable_sni', { doc: 'Send SNI.' }),
  protocol: oneOf('http_protocol', ['1.0', '1.0C', '1.1'], { default: '1.0', doc: 'HTTP version.' }),
  wait: duration('wait', { default: seconds(3), doc: 'x' }),
  count: integer('count', { default: 1, doc: 'x' }),
  limit: integer('limit', { doc: 'x' }),
})

test('the types of a block follow from its declarations', () => {
  type Options = Values<typeof http>
  expectTypeOf<Options['protocol']>().toEqualTypeOf<'1.0' | '1.0C' | '1.1'>()
  expectTypeOf<Options['count']>().toBeNumber()
  expectTypeOf<Options['limit']>().toEqualTypeOf<number | undefined>()
  expectTypeOf<Options['sni']>().toEqualTypeOf<boolean | undefined>()
  expectTypeOf<Options['url'][number]['path']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<Options['url'][number]['noMatch']>().toEqualTypeOf<boolean>()
  expectTypeOf<OwnOptions<typeof http.fields>>().not.toHaveProperty('retry')
  const checker: CheckerBlock<typeof http.fields> = {
    keyword: 'HTTP_GET',
    block: http,
    connection: true,
    defaults: { retry: 1, delayBeforeRetry: seconds(3) },
    complete: (options, around) => ({ options: { ...options, host: around.virtualServer.virtualhost } }),
  }
  const all: readonly CheckerBlock[] = [checker]
  expect(all[0]?.block.fields['count']).toMatchObject({ name: 'count', default: 1 })
})

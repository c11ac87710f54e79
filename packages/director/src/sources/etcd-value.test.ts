import { expect, test } from 'vitest'
import { serverFromValue } from './etcd-value.ts'

test.for([
  ['10.0.0.1', '10.0.0.1 - -'],
  [' 10.0.0.1:80\n', '10.0.0.1 80 -'],
  ['10.0.0.1:80 weight 5', '10.0.0.1 80 5'],
  ['2001:db8::1 weight 0', '2001:db8::1 - 0'],
  ['[2001:DB8::1]:80', '2001:db8::1 80 -'],
  ['{"address": "10.0.0.1"}', '10.0.0.1 - -'],
  ['{"address": "10.0.0.1", "port": 80, "weight": 5, "more": true}', '10.0.0.1 80 5'],
  ['', '10.9.9.9 99 -'],
] as const)('%s', ([value, expected]) => {
  const found = serverFromValue(value, '10.9.9.9:99')
  expect(found && [found.address, found.port ?? '-', found.weight ?? '-'].join(' ')).toBe(expected)
})

test.for([
  'web-1',
  '10.0.0.1:99999',
  '10.0.0.1 weight',
  '10.0.0.1 weight -1',
  '10.0.0.1 10.0.0.2',
  '0.0.0.0:80',
  '{"address": "10.0.0.1"',
  '{"address": 5}',
  '{"port": 80}',
  '{"address": "10.0.0.1", "port": "80"}',
  '{"address": "10.0.0.1", "weight": 1.5}',
  '{}',
])('%s is no server', (value) => {
  expect(serverFromValue(value, '')).toBeUndefined()
})

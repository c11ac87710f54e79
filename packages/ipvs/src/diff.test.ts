import { address } from '@ipvs-director/core'
import { test as propertyTest } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { defaultDestination, defaultService } from './defaults.ts'
import { diff } from './diff.ts'
import { describeCommand } from './refusal.ts'
import {
  destinationId,
  serviceId,
  type Destination,
  type ServiceKey,
  type ServiceSettings,
  type Table,
} from './table.ts'
import * as any from './testing/arbitraries.ts'

const web: ServiceKey = { protocol: 'tcp', address: address('192.0.2.1'), port: 80 }

/** `10.0.0.2=5`: a destination with its weight. */
function real(text: string, more: Partial<Destination> = {}): Destination {
  const [host = '', weight = '1'] = text.split('=')
  return { ...defaultDestination, address: address(host), port: 80, weight: Number(weight), ...more }
}

function table(destinations: readonly Destination[], settings: Partial<ServiceSettings> = {}): Table {
  const service = {
    key: web,
    settings: { ...defaultService('inet'), ...settings },
    destinations: new Map(destinations.map((each) => [destinationId(each), each])),
  }
  return new Map([[serviceId(web), service]])
}

const empty: Table = new Map()
const ipip = { forwarding: 'tunnel', tunnel: { type: 'ipip', port: 0, checksum: 'none' } } as const
const gre = { forwarding: 'tunnel', tunnel: { type: 'gre', port: 0, checksum: 'csum' } } as const

test.for<readonly [name: string, actual: Table, desired: Table, commands: readonly string[]]>([
  ['nothing', empty, empty, []],
  ['a service', empty, table([]), ['add 192.0.2.1:80/tcp']],
  [
    'a service with destinations',
    empty,
    table([real('10.0.0.2'), real('10.0.0.3=0')]),
    ['add 192.0.2.1:80/tcp', 'add 10.0.0.2:80 to 192.0.2.1:80/tcp', 'add 10.0.0.3:80 to 192.0.2.1:80/tcp'],
  ],
  ['a setting', table([]), table([], { scheduler: 'rr' }), ['change 192.0.2.1:80/tcp']],
  [
    'in order',
    table([real('10.0.0.1=5'), real('10.0.0.2=1'), real('10.0.0.3=1'), real('10.0.0.4=1')], { persistence: 60 }),
    table([real('10.0.0.1=1'), real('10.0.0.2=1', { upperThreshold: 9 }), real('10.0.0.3=2'), real('10.0.0.5=1')]),
    [
      'change 192.0.2.1:80/tcp',
      'add 10.0.0.5:80 to 192.0.2.1:80/tcp',
      'change 10.0.0.3:80 of 192.0.2.1:80/tcp',
      'change 10.0.0.2:80 of 192.0.2.1:80/tcp',
      'change 10.0.0.1:80 of 192.0.2.1:80/tcp',
      'delete 10.0.0.4:80 from 192.0.2.1:80/tcp',
    ],
  ],
  ['plain ipip spelt out', table([real('10.0.0.2', ipip)]), table([real('10.0.0.2', { forwarding: 'tunnel' })]), []],
  [
    'another tunnel',
    table([real('10.0.0.2', ipip)]),
    table([real('10.0.0.2', gre)]),
    ['change 10.0.0.2:80 of 192.0.2.1:80/tcp'],
  ],
  [
    'tunnel options without a tunnel',
    table([real('10.0.0.2')]),
    table([real('10.0.0.2', { ...gre, forwarding: 'droute' })]),
    [],
  ],
  ['a service of somebody else', table([real('10.0.0.2')]), empty, []],
])('%s', ([, actual, desired, commands]) => {
  expect(diff(actual, desired).map(describeCommand)).toEqual(commands)
})

test('deletes a service with all it has, where it is ours', () => {
  const asked: string[] = []
  const owned = (id: string): boolean => {
    asked.push(id)
    return true
  }
  expect(diff(table([real('10.0.0.2')]), empty, { owned })).toEqual([{ do: 'deleteService', key: web }])
  expect(asked).toEqual(['192.0.2.1:80/tcp'])
})

propertyTest.prop([any.table])('from a table to itself there is nothing to do', (same) => {
  expect(diff(same, new Map(structuredClone([...same])), { owned: () => true })).toEqual([])
})

propertyTest.prop([any.table, any.table])('whatever is not ours stays', (actual, desired) => {
  const deleted = diff(actual, desired, { owned: (id) => id.startsWith('fwmark') }).filter(
    (command) => command.do === 'deleteService',
  )
  for (const { key } of deleted) expect(serviceId(key)).toMatch(/^fwmark/)
})

import { DecodeError } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { parseText, textReader } from './proc.ts'
import { isMark, type Table } from './table.ts'
import * as any from './testing/arbitraries.ts'
import { renderText } from './testing/render-text.ts'

/** As kernel 6.1 printed it. */
const printed = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000201:0050 wlc  persistent 6000 FFFFFFFF
  -> 0A000002:0050      Masq    5      12         345       
  -> 0A000003:1F90      Local   2147483647 0          0         
TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0050 sh 
  -> 0A000002:0050      Tunnel  1      0          0         
IP_50  C0000201:0050 rr  
  -> 0A000009:0050      Route   1      0          0         
FWM  00000007 rr ops 
  -> [2001:0db8:0000:0000:0000:0000:0000:0002]:0000      Route   0      0          -1        
SCTP  C0000201:0050 rr  
`

test('the text of the kernel', () => {
  expect(parseText(printed)).toEqual([
    {
      key: { protocol: 'tcp', address: '192.0.2.1', port: 80 },
      destinations: new Map([
        ['10.0.0.2:80', { forwarding: 'masq', weight: 5, activeConnections: 12, inactiveConnections: 345 }],
        ['10.0.0.3:8080', { forwarding: 'local', weight: 2147483647, activeConnections: 0, inactiveConnections: 0 }],
      ]),
    },
    {
      key: { protocol: 'tcp', address: '2001:db8::1', port: 80 },
      destinations: new Map([
        ['10.0.0.2:80', { forwarding: 'tunnel', weight: 1, activeConnections: 0, inactiveConnections: 0 }],
      ]),
    },
    {
      key: 7,
      destinations: new Map([
        ['[2001:db8::2]:0', { forwarding: 'droute', weight: 0, activeConnections: 0, inactiveConnections: -1 }],
      ]),
    },
    { key: { protocol: 'sctp', address: '192.0.2.1', port: 80 }, destinations: new Map() },
  ])
})

property.prop([fc.integer({ min: 1, max: 200 })])('comes in pieces of any size', (size) => {
  const bytes = Buffer.from(printed)
  const reader = textReader()
  for (let at = 0; at < bytes.length; at += size) {
    const piece = Buffer.from(bytes.subarray(at, at + size))
    reader.push(piece)
    piece.fill(0) // the buffer is used again by whoever reads the file
  }
  expect(reader.end()).toEqual(parseText(printed))
})

/** What the text can tell of a table. */
const told = (table: Table): unknown =>
  [...table.values()].map(({ key, destinations }) => ({
    key: isMark(key) ? key.fwmark : key,
    destinations: new Map(
      [...destinations].map(([id, { forwarding, weight }]) => [
        id,
        {
          forwarding: forwarding === 'bypass' ? 'masq' : forwarding,
          weight,
          activeConnections: 3,
          inactiveConnections: 0,
        },
      ]),
    ),
  }))

property.prop([any.table])('tells methods, weights and connections of any table', (table) => {
  expect(parseText(renderText(table.values(), { activeConnections: 3 }))).toEqual(told(table))
})

test('nothing is a table without services', () => {
  expect(parseText('')).toEqual([])
  expect(parseText(renderText([]))).toEqual([])
})

const titles = renderText([])

test.for<readonly [name: string, text: string]>([
  ['cut off', `${titles}TCP  C0000201:0050 wlc`],
  ['a destination without a service', `${titles}  -> 0A000002:0050      Masq    5      0          0         \n`],
  ['a word in place of an address', `${titles}TCP  somewhere:0050 wlc\n`],
  [
    'a method to come',
    `${titles}TCP  C0000201:0050 wlc\n  -> 0A000002:0050      Warp    5      0          0         \n`,
  ],
  ['no weight', `${titles}TCP  C0000201:0050 wlc\n  -> 0A000002:0050      Masq\n`],
  ['no number', `${titles}TCP  C0000201:0050 wlc\n  -> 0A000002:0050      Masq    x      0          0         \n`],
])('%s is a DecodeError', ([, text]) => {
  expect(() => parseText(text)).toThrow(DecodeError)
})

const lines = fc.constantFrom(...printed.split('\n').slice(3))
const almost = fc.array(
  fc.oneof(
    lines,
    fc
      .tuple(lines, fc.nat(80), fc.string({ maxLength: 3 }))
      .map(([line, at, text]) => line.slice(0, at) + text + line.slice(at)),
  ),
)

property.prop([almost], { numRuns: 500 })('any lines are read or are a DecodeError', (text) => {
  try {
    parseText(`${titles}${text.join('\n')}\n`)
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError)
  }
})

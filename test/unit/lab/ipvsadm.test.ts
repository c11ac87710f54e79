import { expect, test } from 'vitest'
import { parseIpvsadm, weightsOf } from '../../lab/ipvsadm.ts'

// as ipvsadm 1.31 printed it
const printed = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.1.0.100:80 wrr persistent 300
  -> 10.1.0.11:80                 Route   1      2          7
  -> 10.1.0.12:80                 Masq    0      0          0
UDP  [fd00:1::100]:53 rr ops
  -> [fd00:1::11]:53              Tunnel  100    0          0
FWM  7 IPv6 sh (sh-fallback,sh-port)
FWM  8 wlc
`

test('the table as ipvsadm prints it', () => {
  const table = parseIpvsadm(printed)
  expect(table.map(({ protocol, address, scheduler, flags }) => [protocol, address, scheduler, flags])).toEqual([
    ['TCP', '10.1.0.100:80', 'wrr', 'persistent 300'],
    ['UDP', '[fd00:1::100]:53', 'rr', 'ops'],
    ['FWM', '7 IPv6', 'sh', '(sh-fallback,sh-port)'],
    ['FWM', '8', 'wlc', ''],
  ])
  expect(table[0]?.destinations).toEqual([
    { address: '10.1.0.11:80', forward: 'Route', weight: 1, active: 2, inactive: 7 },
    { address: '10.1.0.12:80', forward: 'Masq', weight: 0, active: 0, inactive: 0 },
  ])
  expect(weightsOf(table, '10.1.0.100:80')).toEqual({ '10.1.0.11:80': 1, '10.1.0.12:80': 0 })
  expect(weightsOf(table, '10.1.0.101:80')).toBeUndefined()
})

test('an empty table', () => {
  expect(parseIpvsadm(printed.split('\n').slice(0, 3).join('\n'))).toEqual([])
})

test('a line that is not known is an error and not a service less', () => {
  expect(() => parseIpvsadm('SCTP+ 1.2.3.4:5')).toThrow('SCTP+')
})

import { address } from '@ipvs-director/core'
import type { VrrpEvent } from '@ipvs-director/vrrp'
import { expect, test } from 'vitest'
import { realServer, tcpChecker, virtualServer } from '../testing/config.ts'
import type { Alarm } from './alarm.ts'
import { composeMail } from './message.ts'
import { serviceLabel } from './names.ts'
import { webhookEventOf } from './webhook.ts'
import { fifoLinesOf, letterOf } from './words.ts'

const service = virtualServer({ smtpAlert: true, quorum: 2, hysteresis: 1 })
const server = realServer('10.0.0.2:80')
const at = Date.UTC(2026, 0, 2, 3, 4, 5)
const turned = (up: boolean, kind = 'TCP_CHECK', over: object = {}): Alarm => ({
  kind: 'server',
  service,
  server,
  checker: { ...tcpChecker('10.0.0.2:80'), kind, options: { name: 'bfd1' } },
  up,
  class: up ? 'ok' : 'refused',
  reason: 'connection refused: 10.0.0.2:80',
  at,
  ...over,
})

test.for([
  [virtualServer(), '[192.0.2.1]:tcp:80'],
  [virtualServer({ target: { kind: 'address', address: address('2001:db8::1'), port: 53 }, protocol: 'udp' }), '[2001:db8::1]:udp:53'], // prettier-ignore
  [virtualServer({ target: { kind: 'fwmark', fwmark: 7, family: 'inet' } }), 'FWM 7'],
] as const)('service %#: %s', ([each, label]) => {
  expect(serviceLabel(each, [each])).toBe(label)
})

test('services of one group are counted', () => {
  const of = (name: string, group: string) => virtualServer({ name, target: { kind: 'group', group, entries: [] } })
  const all = [of('a', 'web'), of('b', 'mail'), of('c', 'web')]
  expect(all.map((each) => serviceLabel(each, all))).toEqual(['[web]:0', '[mail]:0', '[web]:1'])
})

test.for([
  ['TCP_CHECK', true, 'TCP CHECK succeed on service'],
  ['TCP_CHECK', false, 'TCP CHECK failed on service'],
  ['UDP_CHECK', false, 'UDP CHECK failed on service'],
  ['PING_CHECK', true, 'ICMP CHECK succeed on service'],
  ['HTTP_GET', true, 'CHECK succeed on service'],
  ['SSL_GET', false, 'CHECK failed on service : HTTP/SSL request failed'],
  ['SMTP_CHECK', false, 'CHECK failed on service : connection refused: 10.0.0.2:80'],
  ['DNS_CHECK', false, 'DNS_CHECK: failed on service'],
  ['MISC_CHECK', true, 'MISC CHECK succeeded on service'],
  ['MISC_CHECK', false, 'MISC CHECK failed on service'],
  ['BFD_CHECK', false, 'BFD CHECK bfd1 failed on service'],
  ['GRPC_CHECK', false, 'GRPC_CHECK failed on service'],
] as const)('mail of %s, up: %s', ([kind, up, words]) => {
  const letter = letterOf(turned(up, kind), [service], false)
  expect(letter?.subject).toBe(
    `Realserver [10.0.0.2]:tcp:80 of virtual server [192.0.2.1]:tcp:80 - ${up ? 'UP' : 'DOWN'}`,
  )
  expect(letter?.body.split('\n')[0]).toBe(`=> ${words} <=`)
  expect(letter?.body).toContain('connection refused')
})

test('a script that took too long is told so', () => {
  expect(letterOf(turned(false, 'MISC_CHECK', { class: 'timeout' }), [service], false)?.body).toContain('timed out')
})

const quorum = (up: boolean): Alarm => ({
  kind: 'quorum',
  service,
  up,
  threshold: up ? 3 : 1,
  aliveWeight: up ? 3 : 0,
  at,
})
const vrrp: VrrpEvent = { type: 'instance', name: 'VI_1', state: 'MASTER', from: 'BACKUP', why: 'x', priority: 100, group: undefined, notify: true, at } // prettier-ignore
const master: Alarm = { kind: 'vrrp', event: vrrp, notifications: [{ do: 'fifo', line: 'INSTANCE "VI_1" MASTER 100' }, { do: 'mail', subject: 'VRRP Instance VI_1 - Entering MASTER state', body: '=> owning <=' }] } // prettier-ignore

test.for([
  ['server up', turned(true), 'RS [10.0.0.2]:tcp:80 [192.0.2.1]:tcp:80 UP', 'Realserver', 'server.up'],
  ['server down', turned(false), 'RS [10.0.0.2]:tcp:80 [192.0.2.1]:tcp:80 DOWN', 'Realserver', 'server.down'],
  ['server gone', { kind: 'server-gone', service, server, why: 'Removing', at }, 'RS [10.0.0.2]:tcp:80 [192.0.2.1]:tcp:80 DOWN', 'Realserver', 'server.gone'], // prettier-ignore
  ['quorum up', quorum(true), 'VS [192.0.2.1]:tcp:80 UP', 'Virtualserver', 'quorum.up'],
  ['quorum down', quorum(false), 'VS [192.0.2.1]:tcp:80 DOWN', 'Virtualserver', 'quorum.down'],
  ['service gone', { kind: 'service-gone', service, why: 'Shutting down', at }, 'VS [192.0.2.1]:tcp:80 DOWN', 'Virtualserver', 'service.gone'], // prettier-ignore
  ['VRRP', master, 'INSTANCE "VI_1" MASTER 100', 'VRRP Instance VI_1 - Entering MASTER state', 'vrrp.instance'],
] as const)('%s', ([, alarm, line, subject, event]) => {
  expect(fifoLinesOf(alarm, [service]).map(({ text }) => text)).toEqual([line])
  expect(letterOf(alarm, [service], false)?.subject).toContain(subject)
  expect(webhookEventOf(alarm)).toMatchObject({ event, at: '2026-01-02T03:04:05.000Z' })
})

test.for([
  [true, '=> Gained quorum 2+1=3 <= 3 <='],
  [false, '=> Lost quorum 2-1=1 > 0 <='],
] as const)('quorum, up: %s, with its arithmetic', ([up, body]) => {
  expect(letterOf(quorum(up), [service], false)?.body).toBe(body)
})

test('smtp_alert decides, each for its own', () => {
  const quiet = virtualServer({ smtpAlert: false })
  expect(letterOf({ ...quorum(true), service: quiet } as Alarm, [quiet], true)).toBeUndefined()
  expect(letterOf(turned(true, 'TCP_CHECK', { server: realServer('10.0.0.2:80', { smtpAlert: false }) }), [service], true)).toBeUndefined() // prettier-ignore
  const refused: Alarm = { kind: 'event', event: { sequence: 1, at, event: 'reload.refused', message: 'line 3', fields: {} } } // prettier-ignore
  expect(letterOf(refused, [], true)).toEqual({ subject: 'reload.refused', body: 'line 3', at })
  expect(letterOf(refused, [], false)).toBeUndefined()
})

const mail = { from: 'lb1@example.net', to: ['a@example.net', 'b@example.net'], router: 'LVS_1', dropped: 0, id: 'x@y' }
const letter = { subject: 'Virtualserver [192.0.2.1]:tcp:80 - UP', body: '=> Gained <=', at }

test('one letter is a mail with keepalived’s headers in its order', () => {
  expect(composeMail({ ...mail, letters: [letter] })).toBe(
    [
      'Date: Fri, 02 Jan 2026 03:04:05 +0000',
      'From: lb1@example.net',
      'Subject: [LVS_1] Virtualserver [192.0.2.1]:tcp:80 - UP',
      'X-Mailer: ipvs-director',
      'To: a@example.net, b@example.net',
      'Message-ID: <x@y>',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      'Auto-Submitted: auto-generated',
      '',
      '=> Gained <=',
      '',
    ].join('\r\n'),
  )
})

test('several are one mail that counts and lists them, and says what was dropped', () => {
  const down = { ...letter, subject: letter.subject.replace('UP', 'DOWN') }
  const text = composeMail({
    ...mail,
    letters: [down, letter, down, { ...letter, subject: 'reload.refused' }],
    dropped: 7,
  })
  expect(text).toContain('Subject: [LVS_1] 4 changes: 2 DOWN, 1 UP, 1 other\r\n')
  expect(text.match(/=> Gained <=/g)).toHaveLength(4)
  expect(text).toContain('7 earlier changes could not be mailed')
  expect(composeMail({ ...mail, letters: Array.from({ length: 1000 }, () => letter) })).toContain('and 800 more')
})

test('no text becomes a header, no line is too long, other languages arrive', () => {
  const text = composeMail({ ...mail, router: '主机 一'.repeat(20), letters: [{ ...letter, subject: 'a\r\nBcc: x', body: 'é'.repeat(2000) }] }) // prettier-ignore
  expect(text).not.toMatch(/^Bcc/m)
  expect(Math.max(...text.split('\r\n').map((line) => Buffer.byteLength(line)))).toBeLessThan(998)
  const subject = /Subject: ((?:.*\r\n )*.*)\r\n/.exec(text)?.[1] ?? ''
  const words = subject.split('\r\n ').map((word) => Buffer.from(/=\?UTF-8\?B\?(.*)\?=/.exec(word)?.[1] ?? '', 'base64').toString()) // prettier-ignore
  expect(words.join('')).toBe(`[${'主机 一'.repeat(20)}] a Bcc: x`)
})

import type { MailSettings } from '@ipvs-director/config'
import { certificate } from '@ipvs-director/checkers/testing'
import { millis, seconds, systemClock } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { mailServer, type MailServerOptions } from '../testing/mail-server.ts'
import { createMailer } from './mail.ts'

let folder: string
const closing: { close(): Promise<void> }[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mail-'))
})
afterEach(async () => {
  await Promise.all(closing.splice(0).map((each) => each.close()))
  rmSync(folder, { recursive: true })
})

async function start(server: MailServerOptions = {}, over: Partial<MailSettings> = {}) {
  const smtp = await mailServer(server)
  closing.push(smtp)
  const logger = arrayLogger()
  const mailer = createMailer(
    {
      to: ['ops@example.net', 'Noc <noc@example.net>'],
      from: 'lb1@example.net',
      host: '127.0.0.1',
      port: smtp.port,
      helo: 'lb1.example.net',
      timeout: seconds(5),
      tls: 'off',
      verify: true,
      ca: undefined,
      auth: undefined,
      general: false,
      ...over,
    },
    'LVS_1',
    { clock: systemClock, logger },
  )
  return { smtp, logger, mailer, events: () => logger.lines.map(({ event }) => event) }
}

const letter = { subject: 'Virtualserver [192.0.2.1]:tcp:80 - UP', body: '=> Gained quorum 1+0=1 <= 2 <=\n.dot', at: 0 }
/** The file of a secret: the first line counts. */
function secretFile(text: string): string {
  const path = join(folder, 'secret')
  writeFileSync(path, `${text}\nsecond line\n`, { mode: 0o600 })
  return path
}
function caFile(): string {
  const path = join(folder, 'ca.pem')
  writeFileSync(path, certificate().cert)
  return path
}

test('to several recipients, in keepalived’s words', async () => {
  const { smtp, mailer, logger } = await start()
  mailer.add(letter)
  await mailer.finish(seconds(5))
  expect(smtp.mails).toEqual([{ from: 'lb1@example.net', to: ['ops@example.net', 'noc@example.net'], tls: false, user: undefined, text: expect.any(String) as string }]) // prettier-ignore
  const [head = '', body] = smtp.mails[0]!.text.split('\n\n')
  expect(head.split('\n').slice(0, 5).map((line) => line.split(':')[0])).toEqual(['Date', 'From', 'Subject', 'X-Mailer', 'To']) // prettier-ignore
  expect(head).toContain('Subject: [LVS_1] Virtualserver [192.0.2.1]:tcp:80 - UP')
  expect(head).toContain('To: ops@example.net, Noc <noc@example.net>')
  expect(body?.trimEnd()).toBe('=> Gained quorum 1+0=1 <= 2 <=\n.dot')
  expect(smtp.commands[0]).toBe('EHLO lb1.example.net')
  expect(logger.lines).toEqual([])
})

test('a server that knows HELO only', async () => {
  const { smtp, mailer } = await start({ plainHelo: true })
  mailer.add(letter)
  await mailer.finish(seconds(5))
  expect(smtp.commands.slice(0, 2)).toEqual(['EHLO lb1.example.net', 'HELO lb1.example.net'])
  expect(smtp.mails).toHaveLength(1)
})

test('a storm is one mail', async () => {
  const { smtp, mailer } = await start()
  for (let i = 0; i < 1000; i++) mailer.add({ ...letter, at: i })
  await mailer.finish(seconds(5))
  expect(smtp.mails).toHaveLength(1)
  expect(smtp.mails[0]?.text).toContain('Subject: [LVS_1] 1000 changes: 1000 UP')
})

test('STARTTLS and a login, the password from a file', async () => {
  const auth = { user: 'lb1', passwordFile: secretFile('sesame') }
  const { smtp, mailer } = await start({ certificate: certificate(), login: 'lb1:sesame' }, { tls: 'starttls', ca: caFile(), auth, host: 'localhost' }) // prettier-ignore
  mailer.add(letter)
  await mailer.finish(seconds(5))
  expect(smtp.mails).toMatchObject([{ tls: true, user: 'lb1' }])
})

test.for<[string, MailServerOptions, Partial<MailSettings>, RegExp]>([
  ['a certificate that nobody trusts', { certificate: certificate() }, { tls: 'starttls' }, /certificate/],
  ['no STARTTLS where it is demanded', {}, { tls: 'starttls' }, /STARTTLS/],
  ['a wrong password', { login: 'lb1:sesame' }, { auth: { user: 'lb1', passwordFile: '/dev/null' } }, /credentials|login|auth/i], // prettier-ignore
  [
    'a password file that is not there',
    {},
    { auth: { user: 'lb1', passwordFile: '/no/such/file' } },
    /\/no\/such\/file/,
  ],
  ['a recipient that is not taken now', { recipients: { 'ops@example.net': '450 later', 'noc@example.net': '450 later' } }, {}, /450/], // prettier-ignore
  ['nobody there', {}, { port: 1 }, /ECONNREFUSED/],
  ['a server that says nothing', { mute: true }, { timeout: millis(50) }, /greeting|timeout/i],
])('%s: told, kept for later', async ([, server, over, words]) => {
  const { smtp, mailer, logger } = await start(server, over)
  mailer.add(letter)
  await mailer.finish(seconds(5))
  expect(smtp.mails).toEqual([])
  expect(mailer.figures).toMatchObject({ waiting: 1, failures: 1, dropped: 0 })
  expect(logger.lines).toMatchObject([{ level: 'error', event: 'mail.trouble' }])
  expect(logger.lines[0]?.message).toMatch(words)
  expect(logger.lines[0]?.message).not.toContain('sesame')
})

test('a certificate need not be trusted where that is said', async () => {
  const { smtp, mailer } = await start({ certificate: certificate() }, { tls: 'starttls', verify: false })
  mailer.add(letter)
  await mailer.finish(seconds(5))
  expect(smtp.mails).toMatchObject([{ tls: true }])
})

test('one recipient refused: the others get it, and it is told', async () => {
  const { smtp, mailer, events } = await start({ recipients: { 'noc@example.net': '550 unknown' } })
  mailer.add(letter)
  await mailer.finish(seconds(5))
  expect(smtp.mails).toMatchObject([{ to: ['ops@example.net'] }])
  expect(events()).toEqual(['mail.recipient'])
})

test('all refused for good: given up, so that it does not hold up the rest', async () => {
  const refused = { 'ops@example.net': '550 unknown', 'noc@example.net': '550 unknown' }
  const { mailer } = await start({ recipients: refused })
  mailer.add(letter)
  await mailer.finish(seconds(5))
  expect(mailer.figures).toMatchObject({ waiting: 0, dropped: 1 })
})

import type { MailSettings } from '@ipvs-director/config'
import { minutes, millis, seconds, type Clock, type Logger } from '@ipvs-director/core'
import { readFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { randomUUID } from 'node:crypto'
import { composeMail } from './message.ts'
import { createOutbox, Refused, type Outbox } from './outbox.ts'
import type { Letter } from './words.ts'

/** Hands over one mail; rejects with {@link Refused} when that will never work. */
export type Post = (mail: {
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
}) => Promise<void>

/** Up to this many go one by one, with keepalived's subjects; what waits beyond goes as one. */
const oneByOne = 3

/** Mail of one configuration: a queue in memory, tried again until it works. */
export function createMailer(
  settings: MailSettings,
  router: string,
  {
    clock,
    logger,
    post = postBy(settings, logger),
  }: { readonly clock: Clock; readonly logger: Logger; readonly post?: Post },
): Outbox<Letter> {
  const from = settings.from ?? `${userInfo().username}@${hostname()}`
  return createOutbox<Letter>({
    name: `mail to ${settings.host}:${settings.port}`,
    clock,
    take: (waiting) => (waiting <= oneByOne ? 1 : waiting),
    async deliver(letters, dropped) {
      const { to } = settings
      const id = `${randomUUID()}@${hostname()}`
      await post({ from: bare(from), to: to.map(bare), raw: composeMail({ from, to, router, letters, dropped, id }) })
    },
    gather: millis(200),
    burst: oneByOne,
    window: seconds(10),
    retry: [seconds(5), seconds(10), seconds(20), seconds(40), minutes(1), minutes(2), minutes(5)],
    keep: 10_000,
    trouble: (message) => {
      logger.error('mail.trouble', message)
    },
    recovered: (message) => {
      logger.info('mail.recovered', message)
    },
  })
}

/** `Ops <ops@example.net>` → `ops@example.net`, for the envelope. */
const bare = (address: string): string => /<([^<>]+)>\s*$/.exec(address)?.[1] ?? address

/** By nodemailer, which is loaded with the first mail. The password is read anew each time: it may be changed. */
function postBy(settings: MailSettings, logger: Logger): Post {
  return async ({ from, to, raw }) => {
    const { createTransport } = await import('nodemailer')
    const transport = createTransport({
      host: settings.host,
      port: settings.port,
      name: settings.helo ?? hostname(),
      secure: settings.tls === 'implicit',
      ignoreTLS: settings.tls === 'off',
      requireTLS: settings.tls === 'starttls',
      tls: {
        rejectUnauthorized: settings.verify,
        ...(settings.ca === undefined ? {} : { ca: await readFile(settings.ca) }),
      },
      ...(settings.auth === undefined ? {} : { auth: { user: settings.auth.user, pass: await firstLine(settings.auth.passwordFile) } }), // prettier-ignore
      connectionTimeout: settings.timeout,
      greetingTimeout: settings.timeout,
      socketTimeout: settings.timeout,
      dnsTimeout: settings.timeout,
    })
    try {
      const { rejected } = await transport.sendMail({ envelope: { from, to: [...to] }, raw })
      if (rejected.length > 0) logger.warn('mail.recipient', `mail not taken for ${rejected.map(String).join(', ')}`)
    } catch (error) {
      throw isForGood(error) ? new Refused('refused for good', { cause: error }) : error
    } finally {
      transport.close()
    }
  }
}

/** 5xx to the sender, to all recipients or to the message. A refused login may be mended, so it is tried again. */
const isForGood = (error: unknown): boolean =>
  error instanceof Error &&
  'responseCode' in error &&
  Number(error.responseCode) >= 550 &&
  Number(error.responseCode) < 560 &&
  'code' in error &&
  (error.code === 'EENVELOPE' || error.code === 'EMESSAGE')

/** The first line of a file that holds a secret. */
export async function firstLine(path: string): Promise<string> {
  const text = await readFile(path, 'utf8')
  return text.split(/\r?\n/, 1)[0] ?? ''
}

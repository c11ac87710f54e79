import { boolean, each, oneOf, value, type Fields } from '../declare.ts'
import { textKind } from '../kinds.ts'
import { first, option, phraseKind } from '../phrase.ts'
import { nameKind, pathKind } from './shared.ts'

const own = { extension: true } as const

/** Our own keywords of global_defs about alarms. */
export const ownAlarms = {
  smtpTls: oneOf('smtp_tls', ['off', 'starttls', 'implicit'], {
    ...own,
    doc: 'Encryption to the mail server: off; starttls, or no mail; implicit from the first byte (port 465 when not given). Default: off, with smtp_auth starttls.',
  }),
  smtpTlsVerify: boolean('smtp_tls_verify', {
    ...own,
    default: true,
    doc: 'Insist on a certificate that is trusted and has the name of smtp_server.',
  }),
  smtpTlsCa: value('smtp_tls_ca', pathKind, {
    ...own,
    doc: 'File (PEM) of the authorities that are trusted for the mail server; those of Node.js when not given.',
  }),
  smtpAuth: value(
    'smtp_auth',
    phraseKind({ user: first(nameKind), passwordFile: first(pathKind) }, 'USER PASSWORD_FILE'),
    { ...own, doc: 'Log in to the mail server; the password is the first line of the file.' },
  ),
  notifyWebhook: each(
    'notify_webhook',
    phraseKind(
      {
        url: first(textKind({ pattern: /^https?:\/\/[^\s"]+$/, what: 'an http:// or https:// URL', syntax: 'URL' })),
        secretFile: option('secret_file', pathKind),
      },
      'URL [secret_file FILE]',
    ),
    {
      ...own,
      secret: true,
      doc: 'Where changes are posted as JSON, signed by HMAC-SHA256 with the first line of the file.',
    },
  ),
} as const satisfies Fields

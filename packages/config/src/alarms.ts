import type { Millis } from '@ipvs-director/core'
import type { Script } from './config.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'

/** Who is told of changes besides the log, and how. */
export interface AlarmSettings {
  /** undefined: nobody to write to, or no server to give it to. */
  readonly mail: MailSettings | undefined
  /** `notify_webhook`, in the order of the file. */
  readonly webhooks: readonly Webhook[]
  /** `notify_fifo`, `vrrp_notify_fifo`, `lvs_notify_fifo`; each path once. */
  readonly fifos: readonly NotifyFifo[]
}

export interface MailSettings {
  /** `notification_email`, at least one. */
  readonly to: readonly string[]
  /** `notification_email_from`; undefined: the user we run as at this host. */
  readonly from: string | undefined
  readonly host: string
  readonly port: number
  /** `smtp_helo_name`; undefined: the host's name. */
  readonly helo: string | undefined
  /** `smtp_connect_timeout`: to connect, and for each answer. */
  readonly timeout: Millis
  /** Own extension `smtp_tls`: `off` as keepalived, `starttls` or nothing is sent, `implicit` from the first byte. */
  readonly tls: 'off' | 'starttls' | 'implicit'
  /** Own extension `smtp_tls_verify`. */
  readonly verify: boolean
  /** Own extension `smtp_tls_ca`: file with the authorities trusted; undefined: those of Node.js. */
  readonly ca: string | undefined
  /** Own extension `smtp_auth`; the password is the first line of the file. */
  readonly auth: { readonly user: string; readonly passwordFile: string } | undefined
  /** `smtp_alert`: mail also of what belongs to no server and no instance (a reload refused). */
  readonly general: boolean
}

/** Own extension `notify_webhook`. */
export interface Webhook {
  readonly url: string
  /** Its first line is the key of the signature; undefined: not signed. */
  readonly secretFile: string | undefined
}

export interface NotifyFifo {
  readonly path: string
  readonly user: string | undefined
  readonly group: string | undefined
  /** What is written to it. */
  readonly events: 'all' | 'vrrp' | 'lvs'
  /** Started with the path as its last argument. */
  readonly script: Script | undefined
}

const smtpPort = 25
const submissionsPort = 465

/** What `global_defs` says of alarms; undefined: nothing. */
export function resolveAlarms(text: GlobalDefsText | undefined): AlarmSettings | undefined {
  const mail = resolveMail(text)
  const fifos = resolveFifos(text)
  const webhooks = (text?.notifyWebhook ?? []).map(({ url, secretFile }) => ({ url, secretFile }))
  if (mail === undefined && fifos.length === 0 && webhooks.length === 0) return undefined
  return { mail, webhooks, fifos }
}

function resolveMail(text: GlobalDefsText | undefined): MailSettings | undefined {
  if (text?.smtpServer === undefined || text.notificationEmail.length === 0) return undefined
  const { host, port } = text.smtpServer
  const tls = text.smtpTls ?? (text.smtpAuth === undefined ? 'off' : 'starttls')
  return {
    to: text.notificationEmail,
    from: text.notificationEmailFrom,
    host,
    port: port ?? (tls === 'implicit' ? submissionsPort : smtpPort),
    helo: text.smtpHeloName,
    timeout: text.smtpConnectTimeout,
    tls,
    verify: text.smtpTlsVerify,
    ca: text.smtpTlsCa,
    auth: text.smtpAuth,
    general: text.smtpAlert ?? false,
  }
}

/** A path that the global FIFO has too is left out of the specific ones. */
function resolveFifos(text: GlobalDefsText | undefined): NotifyFifo[] {
  if (text === undefined) return []
  const found = [
    { fifo: text.notifyFifo, events: 'all', script: text.notifyFifoScript },
    { fifo: text.vrrpNotifyFifo, events: 'vrrp', script: text.vrrpNotifyFifoScript },
    { fifo: text.lvsNotifyFifo, events: 'lvs', script: text.lvsNotifyFifoScript },
  ] as const
  const taken = new Set<string>()
  return found.flatMap(({ fifo, events, script }) => {
    if (fifo === undefined || taken.has(fifo.path)) return []
    taken.add(fifo.path)
    return [{ path: fifo.path, user: fifo.user, group: fifo.group, events, script }]
  })
}

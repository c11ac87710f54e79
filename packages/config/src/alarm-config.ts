import type { Millis } from '@ipvs-director/core'
import type { Script } from './place.ts'

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

import type { AlarmSettings, MailSettings, NotifyFifo } from './alarm-config.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'

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

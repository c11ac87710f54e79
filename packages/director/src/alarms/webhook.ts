import type { Webhook } from '@ipvs-director/config'
import { minutes, millis, seconds, type Clock, type Logger } from '@ipvs-director/core'
import { createHmac } from 'node:crypto'
import type { Alarm } from './alarm.ts'
import { firstLine } from './mail.ts'
import { createOutbox, Refused, type Outbox } from './outbox.ts'

/** One change as it is posted. Members stay as they are within `schema` 1; others may come. */
export interface WebhookEvent {
  readonly at: string
  /** `server.up`, `server.down`, `server.gone`, `quorum.up`, `quorum.down`, `service.gone`, `vrrp.instance`, `vrrp.group`, … */
  readonly event: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Events in one request at most. */
const together = 100
const answerWithin = seconds(10)

/**
 * Posts changes as `{"schema":1,"router":…,"events":[…]}`. With a secret, `X-Ipvs-Director-Signature` is `sha256=` and the
 * HMAC-SHA256 in hex of the timestamp (`X-Ipvs-Director-Timestamp`, seconds since 1970), a dot and the body: whoever
 * checks it should refuse old timestamps.
 */
export function createWebhook(
  webhook: Webhook,
  router: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Outbox<WebhookEvent> {
  return createOutbox<WebhookEvent>({
    name: `webhook ${publicUrl(webhook.url)}`,
    clock,
    take: (waiting) => Math.min(waiting, together),
    async deliver(events, dropped) {
      const body = JSON.stringify({ schema: 1, router, dropped, events })
      const timestamp = String(Math.floor(clock.wall() / 1000))
      const secret = webhook.secretFile === undefined ? undefined : await firstLine(webhook.secretFile)
      const status = await post(webhook.url, body, {
        'content-type': 'application/json',
        'user-agent': 'ipvs-director',
        'x-ipvs-director-timestamp': timestamp,
        ...(secret === undefined ? {} : { 'x-ipvs-director-signature': signature(secret, timestamp, body) }),
      })
      if (status >= 200 && status < 300) return
      const answer = `HTTP ${status}`
      throw isForGood(status) ? new Refused(answer) : new Error(answer)
    },
    gather: millis(200),
    burst: 20,
    window: seconds(10),
    retry: [seconds(1), seconds(5), seconds(15), seconds(30), minutes(1), minutes(5)],
    keep: 10_000,
    trouble: (message) => {
      logger.error('webhook.trouble', message)
    },
    recovered: (message) => {
      logger.info('webhook.recovered', message)
    },
  })
}

/** The status of the answer; its body is not looked at, and redirections are not followed. fetch() refuses some ports. */
async function post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const { request } = url.startsWith('https:') ? await import('node:https') : await import('node:http')
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', agent: false, headers: { ...headers, 'content-length': Buffer.byteLength(body) }, signal: AbortSignal.timeout(answerWithin) }) // prettier-ignore
    asked.on('error', reject)
    asked.on('response', (response) => {
      response.destroy()
      resolve(response.statusCode ?? 0)
    })
    asked.end(body)
  })
}

export const signature = (secret: string, timestamp: string, body: string): string =>
  `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`

/** These will not take the same request later. 401, 403 and 404 may be mended, so they are tried again. */
const isForGood = (status: number): boolean => status === 400 || status === 413 || status === 422

/** A URL may carry a token in its user, path or query: the log has the host. */
const publicUrl = (url: string): string => new URL(url).origin

/** What a webhook is told of an alarm; undefined: nothing. */
export function webhookEventOf(alarm: Alarm): WebhookEvent | undefined {
  const made = (at: number, event: string, message: string, fields: WebhookEvent['fields']): WebhookEvent => ({
    at: new Date(at).toISOString(),
    event,
    message,
    fields,
  })
  switch (alarm.kind) {
    case 'server': {
      const { service, server, checker, up, reason, at } = alarm
      const fields = { service: service.name, server: nameOf(server), check: checker?.kind, class: alarm.class, reason }
      return made(at, up ? 'server.up' : 'server.down', `${fields.server} of ${service.name} is ${up ? 'up' : 'down'}: ${reason}`, fields) // prettier-ignore
    }
    case 'server-gone': {
      const fields = { service: alarm.service.name, server: nameOf(alarm.server) }
      return made(alarm.at, 'server.gone', `${alarm.why}: ${fields.server} of ${fields.service}`, fields)
    }
    case 'quorum': {
      const { service, up, threshold, aliveWeight, at } = alarm
      const { quorum, hysteresis } = service
      const message = `${service.name} has ${up ? 'gained' : 'lost'} quorum: weight ${aliveWeight}, threshold ${threshold}`
      return made(at, up ? 'quorum.up' : 'quorum.down', message, { service: service.name, aliveWeight, quorum, hysteresis }) // prettier-ignore
    }
    case 'service-gone':
      return made(alarm.at, 'service.gone', `${alarm.why}: ${alarm.service.name}`, { service: alarm.service.name })
    case 'vrrp': {
      if (alarm.event.type === 'rejected') return undefined
      const { at, type, ...fields } = alarm.event
      return made(at, `vrrp.${type}`, vrrpMessage(alarm.event), fields)
    }
    case 'vrrp-states':
      return undefined
    case 'event': {
      const { at, event, message, fields } = alarm.event
      return made(at, event, message, fields)
    }
  }
}

const nameOf = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

function vrrpMessage(event: Exclude<Extract<Alarm, { kind: 'vrrp' }>['event'], { type: 'rejected' }>): string {
  switch (event.type) {
    case 'instance':
      return `VRRP instance ${event.name} is ${event.state}: ${event.why}`
    case 'group':
      return `VRRP group ${event.name} is ${event.state}: ${event.why}`
    case 'priority':
      return `VRRP instance ${event.name}: effective priority from ${event.from} to ${event.to}`
    case 'rxLowerPriority':
      return `VRRP instance ${event.name} is master and heard ${event.source} with priority ${event.priority}`
    case 'alarm':
    case 'calm':
      return event.text
  }
}

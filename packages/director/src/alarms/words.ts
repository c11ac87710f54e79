import type { VirtualServer } from '@ipvs-director/config'
import type { Alarm } from './alarm.ts'
import { serverLabel, serviceLabel } from './names.ts'

/** One mail before it is put together: the subject without `[router_id]`. */
export interface Letter {
  readonly subject: string
  readonly body: string
  readonly at: number
}

type Services = readonly VirtualServer[]

/** The letter of an alarm in keepalived's words with our reason below; undefined: `smtp_alert` does not want it. */
export function letterOf(alarm: Alarm, services: Services, general: boolean): Letter | undefined {
  switch (alarm.kind) {
    case 'server': {
      const { service, server, up, reason, at } = alarm
      if (!server.smtpAlert) return undefined
      return { subject: serverSubject(alarm, services, up), body: `=> ${checkWords(alarm)} <=\n\n${service.name}: ${reason}`, at } // prettier-ignore
    }
    case 'server-gone':
      if (!alarm.server.smtpAlert) return undefined
      return { subject: serverSubject(alarm, services, false), body: `=> ${alarm.why} <=`, at: alarm.at }
    case 'quorum': {
      const { service, up, threshold, aliveWeight, at } = alarm
      if (!service.smtpAlert) return undefined
      const sums = up
        ? `Gained quorum ${service.quorum}+${service.hysteresis}=${threshold} <= ${aliveWeight}`
        : `Lost quorum ${service.quorum}-${service.hysteresis}=${service.quorum - service.hysteresis} > ${aliveWeight}`
      return { subject: serviceSubject(service, services, up), body: `=> ${sums} <=`, at }
    }
    case 'service-gone':
      if (!alarm.service.smtpAlert) return undefined
      return { subject: serviceSubject(alarm.service, services, false), body: `=> ${alarm.why} <=`, at: alarm.at }
    case 'vrrp': {
      const { event, notifications } = alarm
      const mail = notifications.find((each) => each.do === 'mail')
      if (mail !== undefined) return { subject: mail.subject, body: mail.body, at: event.at }
      if (!general || (event.type !== 'alarm' && event.type !== 'calm')) return undefined
      return { subject: `VRRP Instance ${event.name} - ${event.type === 'alarm' ? 'ALARM' : 'All clear'}: ${event.kind}`, body: `=> ${event.text} <=`, at: event.at } // prettier-ignore
    }
    case 'vrrp-states':
      return undefined
    case 'event': {
      const { event, message, at } = alarm.event
      return general && mailedEvents.has(event) ? { subject: event, body: message, at } : undefined
    }
  }
}

/** Events that are worth a mail though they belong to no server and no instance. */
const mailedEvents: ReadonlySet<string> = new Set(['reload.refused', 'prober.trouble'])

type OfServer = Extract<Alarm, { kind: 'server' | 'server-gone' }>

const serverSubject = ({ server, service }: OfServer, services: Services, up: boolean): string =>
  `Realserver ${serverLabel(server, service)} of virtual server ${serviceLabel(service, services)} - ${up ? 'UP' : 'DOWN'}`

const serviceSubject = (service: VirtualServer, services: Services, up: boolean): string =>
  `Virtualserver ${serviceLabel(service, services)} - ${up ? 'UP' : 'DOWN'}`

/** keepalived's sentence for a checker's result (reference/checkers.md §6). */
function checkWords({ checker, up, class: kind, reason }: Extract<Alarm, { kind: 'server' }>): string {
  const word = up ? 'succeed' : 'failed'
  if (checker === undefined) return `CHECK ${word} on service`
  switch (checker.kind) {
    case 'TCP_CHECK':
    case 'UDP_CHECK':
      return `${checker.kind.replace('_', ' ')} ${word} on service`
    case 'PING_CHECK':
      return `ICMP CHECK ${word} on service`
    case 'HTTP_GET':
    case 'SSL_GET':
      return up ? 'CHECK succeed on service' : 'CHECK failed on service : HTTP/SSL request failed'
    case 'SMTP_CHECK':
      return up ? 'CHECK succeed on service' : `CHECK failed on service : ${reason}`
    case 'DNS_CHECK':
      return `DNS_CHECK: ${word} on service`
    case 'MISC_CHECK':
      return `MISC CHECK ${up ? 'succeeded' : kind === 'timeout' ? 'timed out' : 'failed'} on service`
    case 'BFD_CHECK':
      return `BFD CHECK ${String(checker.options.name)} ${up ? 'succeeded' : 'failed'} on service`
    default:
      return `${checker.kind} ${word} on service`
  }
}

/** One line of a notify FIFO, without its end, and whose it is. */
export interface FifoLine {
  readonly family: 'vrrp' | 'lvs'
  readonly text: string
}

/** keepalived's lines: `RS <rs> <vs> UP`, `VS <vs> DOWN`, and those of VRRP. */
export function fifoLinesOf(alarm: Alarm, services: Services): readonly FifoLine[] {
  switch (alarm.kind) {
    case 'server':
    case 'server-gone': {
      const { server, service } = alarm
      const up = alarm.kind === 'server' && alarm.up
      const text = `RS ${serverLabel(server, service)} ${serviceLabel(service, services)} ${up ? 'UP' : 'DOWN'}`
      return [{ family: 'lvs', text }]
    }
    case 'quorum':
    case 'service-gone': {
      const up = alarm.kind === 'quorum' && alarm.up
      return [{ family: 'lvs', text: `VS ${serviceLabel(alarm.service, services)} ${up ? 'UP' : 'DOWN'}` }]
    }
    case 'vrrp':
      return alarm.notifications.flatMap((each) => (each.do === 'fifo' ? [{ family: 'vrrp', text: each.line }] : []))
    case 'vrrp-states':
      return alarm.lines.map((text) => ({ family: 'vrrp', text }))
    case 'event':
      return []
  }
}

import { openUnixDatagrams } from '@ipvs-director/linux'
import { hostname } from 'node:os'
import { severityOf, type LogFormat, type LogLine } from './line.ts'
import type { Sink } from './sink.ts'

export const identifier = 'ipvs-director'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** RFC 3164 §4.1 without the host, as syslog(3) writes to /dev/log: `<30>Jan  2 03:04:05 ipvs-director[7]: event: text`. */
export function renderSyslog(line: LogLine, facility: number, format: LogFormat, pid: number): string {
  const { at, level, event, message, fields } = line
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = String(at.getDate()).padStart(2, ' ')
  const time = `${months[at.getMonth()] ?? ''} ${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
  const text =
    format === 'json'
      ? `@cee: ${JSON.stringify({ host: hostname(), level, event, message, fields })}`
      : `${event}: ${message.replaceAll('\n', ' | ')}`
  return `<${facility * 8 + severityOf[level]}>${time} ${identifier}[${pid}]: ${text}`
}

/** /dev/log. A syslogd that is dead or slow costs lines, counted, and never time. */
export function syslogSink(facility: number, format: LogFormat, path = '/dev/log'): Sink {
  const datagrams = openUnixDatagrams({ path })
  return {
    name: `syslog (${path})`,
    write: (line) => {
      datagrams.send(Buffer.from(renderSyslog(line, facility, format, process.pid)))
    },
    health: () => ({ lost: datagrams.lost, trouble: datagrams.trouble }),
    reopen: () => undefined,
    async end(limit) {
      await datagrams.drain(limit)
      datagrams.close()
    },
  }
}

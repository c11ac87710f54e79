import { openUnixDatagrams } from '@ipvs-director/linux'
import { severityOf, type LogLine } from './line.ts'
import type { Sink } from './sink.ts'
import { identifier } from './syslog.ts'

/** Where journald takes entries (systemd's "native protocol"). */
const journalSocket = '/run/systemd/journal/socket'

/**
 * One entry: `NAME=value` lines, or for a value with line ends `NAME`, its length as u64le, the value. Names have capitals,
 * digits and underscores; ours begin with `DIRECTOR_`: `DIRECTOR_EVENT`, `DIRECTOR_SERVER`, `DIRECTOR_ALIVE_WEIGHT`.
 */
export function renderJournal(line: LogLine, facility: number): Buffer {
  const parts = [
    field('MESSAGE', line.message),
    field('PRIORITY', String(severityOf[line.level])),
    field('SYSLOG_FACILITY', String(facility)),
    field('SYSLOG_IDENTIFIER', identifier),
    field('DIRECTOR_EVENT', line.event),
  ]
  for (const [name, value] of Object.entries(line.fields ?? {})) {
    if (value !== undefined) parts.push(field(`DIRECTOR_${upperCase(name)}`, String(value)))
  }
  return Buffer.concat(parts)
}

/** `aliveWeight` → `ALIVE_WEIGHT`. */
const upperCase = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9_]/g, '_')
    .toUpperCase()

function field(name: string, value: string): Buffer {
  if (!value.includes('\n')) return Buffer.from(`${name}=${value}\n`)
  const data = Buffer.from(value)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(data.length))
  return Buffer.concat([Buffer.from(`${name}\n`), length, data, Buffer.from('\n')])
}

/** A journald that is dead or slow costs lines, counted, and never time; standard error would block. */
export function journalSink(facility: number, path = journalSocket): Sink {
  const datagrams = openUnixDatagrams({ path })
  return {
    name: `the journal (${path})`,
    write: (line) => {
      datagrams.send(renderJournal(line, facility))
    },
    health: () => ({ lost: datagrams.lost, trouble: datagrams.trouble }),
    reopen: () => undefined,
    async end(limit) {
      await datagrams.drain(limit)
      datagrams.close()
    },
  }
}

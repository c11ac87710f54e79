import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { CheckStatus, ServerStatus, Status } from '../model.ts'
import type { Tone } from '../paint.ts'
import { briefly } from '../quantities.ts'
import { serverColumns, serverRow } from '../server-row.ts'
import { layOut, printTable, type Column, type Row } from '../table.ts'
import type { Screen } from '../screen.ts'
import { printable } from '../text.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface ListOptions {
  readonly service: string | undefined
  readonly json: boolean
  /** Only what is not up. */
  readonly down: boolean
}

/** A real server or a check, with the names above it. */
export interface ServerEntry extends ServerStatus {
  readonly virtualServer: string
}
export interface CheckEntry extends CheckStatus {
  readonly virtualServer: string
  readonly server: string
}

/** `ipvs-ctl servers`: every real server, one list over all virtual servers. */
export async function runServers(context: CommandContext, options: ListOptions): Promise<ExitStatus> {
  const status = await fetchStatus(context, options)
  const entries = serverEntries(status).filter((one) => !options.down || one.state !== 'up')
  if (options.json) printAnswer(context, { at: status.at, servers: entries })
  else printLines(context, serversScreen(entries, status.at, outScreen(context)))
  return exitStatus.ok
}

/** `ipvs-ctl checks`: every check, what it last said and when it speaks again. */
export async function runChecks(context: CommandContext, options: ListOptions): Promise<ExitStatus> {
  const status = await fetchStatus(context, options)
  const entries = checkEntries(status).filter((one) => !options.down || one.state !== 'up' || one.failures > 0)
  if (options.json) printAnswer(context, { at: status.at, checks: entries })
  else printLines(context, checksScreen(entries, status.at, outScreen(context)))
  return exitStatus.ok
}

function fetchStatus({ client }: CommandContext, { service }: ListOptions): Promise<Status> {
  return client.status(service === undefined ? [] : [service])
}

export function serverEntries(status: Status): ServerEntry[] {
  return status.virtualServers.flatMap((service) =>
    service.servers.map((server) => ({ virtualServer: service.name, ...server })),
  )
}

export function checkEntries(status: Status): CheckEntry[] {
  return serverEntries(status).flatMap((server) =>
    server.checks.map((check) => ({ virtualServer: server.virtualServer, server: server.name, ...check })),
  )
}

export function serversScreen(entries: readonly ServerEntry[], now: number, screen: Screen): string[] {
  if (entries.length === 0) return ['no real servers']
  const rows = entries.map((entry): Row => {
    const row = serverRow(entry, { now, verbose: false })
    return { ...row, notes: [{ text: `of ${printable(entry.virtualServer)}`, tone: 'dim' }, ...row.notes] }
  })
  return printTable(serverColumns, rows, layOut(serverColumns, rows, screen.width), screen.width, screen.paint)
}

const checkColumns: readonly Column[] = [
  { head: 'TARGET', align: 'left' },
  { head: 'CHECK', align: 'left' },
  { head: 'STATE', align: 'left' },
  { head: 'FOR', align: 'left' },
  { head: 'FAILED', align: 'right' },
  { head: 'TOOK', align: 'right' },
  { head: 'NEXT', align: 'right' },
]

const tones = { up: 'good', down: 'bad', unknown: 'warn' } as const satisfies Record<CheckStatus['state'], Tone>

/** FAILED: failures in a row of those forgiven. */
export function checksScreen(entries: readonly CheckEntry[], now: number, screen: Screen): string[] {
  if (entries.length === 0) return ['no checks']
  const rows = entries.map((entry): Row => {
    const where = `${printable(entry.server)} of ${printable(entry.virtualServer)}`
    const reason = printable(entry.reason)
    return {
      cells: [
        { text: printable(entry.target) },
        { text: entry.kind },
        { text: entry.state, tone: tones[entry.state] },
        { text: entry.since === undefined ? '-' : briefly(now - entry.since) },
        { text: `${entry.failures}/${entry.retry}`, ...(entry.failures > 0 ? { tone: 'warn' as const } : {}) },
        { text: entry.tookMs === undefined ? '-' : `${Number(entry.tookMs.toPrecision(3))} ms` },
        { text: entry.nextInMs === undefined ? '-' : briefly(entry.nextInMs) },
      ],
      notes: [
        { text: reason === '' ? where : `${where}: ${reason}`, tone: entry.failures > 0 ? tones[entry.state] : 'dim' },
      ],
    }
  })
  return printTable(checkColumns, rows, layOut(checkColumns, rows, screen.width), screen.width, screen.paint)
}

import { millis } from '@ipvs-director/core'
import type { ControlClient } from '../client.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { Event, Status, VirtualServerStatus } from '../model.ts'
import { amount, briefly, count } from '../quantities.ts'
import { paragraph, type Screen } from '../screen.ts'
import { serverColumns, serverRow } from '../server-row.ts'
import { sparkline, speaksUnicode } from '../sparkline.ts'
import { headerLines } from '../status-header.ts'
import { layOut, printTable, type Column, type Row } from '../table.ts'
import { printable } from '../text.ts'
import { outScreen, type CommandContext } from './context.ts'
import { eventLines } from './events.ts'
import { live } from './live.ts'

/** Samples kept per virtual server, and shown at most. */
const samples = 60
const sparkWidth = 16
const shownEvents = 5

/** What the live screen remembers from picture to picture. */
export interface WatchMemory {
  readonly rates: Map<string, number[]>
  events: Event[]
}

/** `ipvs-ctl watch`: a line per virtual server with the course of its rate, the last events, whoever is not up. */
export async function runWatch(
  context: CommandContext,
  { every, service }: { readonly every: number; readonly service: string | undefined },
): Promise<ExitStatus> {
  const { client, tools } = context
  const memory: WatchMemory = { rates: new Map(), events: [] }
  const services = service === undefined ? [] : [service]
  const unicode = speaksUnicode(tools.env)
  let run: number | undefined
  await client.version()
  await live(tools, millis(every * 1000), async () => {
    const status = await client.status(services)
    if (run !== status.startedAt) memory.events = []
    run = status.startedAt
    remember(memory, status, await newEvents(client, memory.events.at(-1)?.sequence ?? 0))
    return watchScreen(status, memory, outScreen(context), unicode)
  })
  return exitStatus.ok
}

async function newEvents(client: ControlClient, after: number): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of client.events({ after, follow: false })) events.push(event)
  return events
}

/** Adds one sample per virtual server, forgets those that are gone, keeps the last events. */
export function remember(memory: WatchMemory, status: Status, events: readonly Event[]): void {
  const names = new Set(status.virtualServers.map(({ name }) => name))
  for (const name of memory.rates.keys()) if (!names.has(name)) memory.rates.delete(name)
  for (const { name, totals } of status.virtualServers) {
    memory.rates.set(name, [...(memory.rates.get(name) ?? []), totals.connectionRate].slice(-samples))
  }
  memory.events = [...memory.events, ...events].slice(-shownEvents)
}

const columns: readonly Column[] = [
  { head: 'VIRTUAL SERVER', align: 'left' },
  { head: 'STATE', align: 'left' },
  { head: 'FOR', align: 'left' },
  { head: 'UP', align: 'right' },
  { head: 'ACTIVE', align: 'right' },
  { head: 'CPS', align: 'right' },
  { head: 'TREND', align: 'left' },
]

/** The live screen, as lines. */
export function watchScreen(status: Status, memory: WatchMemory, screen: Screen, unicode: boolean): string[] {
  const { width, paint } = screen
  const now = status.at
  const rows = status.virtualServers.map((service) => serviceRow(service, memory, now, unicode))
  const troubled = status.virtualServers.flatMap((service) =>
    service.servers
      .filter((server) => server.state !== 'up')
      .map((server): Row => {
        const row = serverRow(server, { now, verbose: false })
        return { ...row, notes: [{ text: `of ${printable(service.name)}`, tone: 'dim' }, ...row.notes] }
      }),
  )
  return [
    ...headerLines(status, screen),
    '',
    ...printTable(columns, rows, layOut(columns, rows, width), width, paint),
    ...section(screen, memory.events.length, 'last events'),
    ...memory.events.toReversed().flatMap((event) => eventLines(event, screen)),
    ...section(screen, troubled.length, `${count(troubled.length, 'real server')} not up`),
    ...(troubled.length === 0
      ? []
      : printTable(serverColumns, troubled, layOut(serverColumns, troubled, width), width, paint)),
  ]
}

function section(screen: Screen, entries: number, title: string): string[] {
  return entries === 0 ? [] : ['', ...paragraph(screen, title, { tone: 'strong' })]
}

function serviceRow(service: VirtualServerStatus, memory: WatchMemory, now: number, unicode: boolean): Row {
  const up = service.servers.filter((server) => server.state === 'up').length
  return {
    cells: [
      { text: printable(service.name) },
      { text: service.state, tone: service.state === 'up' ? 'good' : 'bad' },
      { text: briefly(now - service.since) },
      { text: `${up}/${service.servers.length}`, ...(up < service.servers.length ? { tone: 'warn' as const } : {}) },
      { text: amount(service.totals.activeConnections) },
      { text: amount(service.totals.connectionRate) },
      { text: sparkline(memory.rates.get(service.name) ?? [], sparkWidth, unicode) },
    ],
    notes: [],
  }
}

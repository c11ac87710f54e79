import { count, millis, type Millis } from '@ipvs-director/core'
import type { ControlClient } from '../client.ts'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { Event, Status, VirtualServerStatus } from '../model.ts'
import { amount, briefly } from '../quantities.ts'
import { paragraph, type Screen } from '../screen.ts'
import { serverColumns, serverRow } from '../server-row.ts'
import { sparkline, speaksUnicode } from '../sparkline.ts'
import { headerLines } from '../status-header.ts'
import { layOut, printTable, type Column, type Row } from '../table.ts'
import { printable } from '../text.ts'
import { outScreen, type CommandContext } from './context.ts'
import { eventLines } from './events.ts'
import { canRedraw, fullScreen } from './full-screen.ts'
import { live } from './live.ts'
import { calm, keysOf, pressed, type WatchEffect } from '../watch/keys.ts'
import { emptyMemory, remember, type WatchMemory } from '../watch/memory.ts'
import { watchPicture } from '../watch/picture.ts'
import { listRows } from '../watch/rows.ts'

const sparkWidth = 16
/** Where the terminal does not tell. */
const usualHeight = 24

/**
 * `ipvs-ctl watch`: on a terminal a list to move in, with the course of rates and latencies, the last events, and keys that
 * steer; elsewhere pictures that follow each other.
 */
export async function runWatch(
  context: CommandContext,
  { every, service }: { readonly every: number; readonly service: string | undefined },
): Promise<ExitStatus> {
  const { client, tools } = context
  const memory = emptyMemory()
  const services = service === undefined ? [] : [service]
  const unicode = speaksUnicode(tools.env)
  let run: number | undefined
  const look = async (): Promise<Status> => {
    const status = await client.status(services)
    if (run !== status.startedAt) memory.events = []
    run = status.startedAt
    remember(memory, status, await newEvents(client, memory.events.at(-1)?.sequence ?? 0))
    return status
  }
  // Where nobody answers, or the service is unknown, that is said plainly instead of a screen.
  const first = await client.status(services)
  if (canRedraw(tools)) await watchLive(context, { first, look, memory, unicode, every: millis(every * 1000) })
  else {
    const picture = async (): Promise<string[]> => watchScreen(await look(), memory, outScreen(context), unicode)
    await live(tools, millis(every * 1000), picture, true)
  }
  return exitStatus.ok
}

interface Watching {
  readonly first: Status
  readonly look: () => Promise<Status>
  readonly memory: WatchMemory
  readonly unicode: boolean
  readonly every: Millis
}

async function watchLive(context: CommandContext, { first, look, memory, unicode, every }: Watching): Promise<void> {
  const { client, tools } = context
  let status = first
  let state = calm
  /** Why the last look failed: what is shown is older than it seems. */
  let trouble: string | undefined
  const height = (): number => tools.stdout.rows ?? usualHeight
  const picture = (): string[] => {
    const screen = outScreen(context)
    const shout = trouble === undefined ? [] : paragraph(screen, `! ${printable(trouble)}`, { tone: 'alarm' })
    const room = { ...screen, unicode, height: Math.max(1, height() - shout.length) }
    return [...shout, ...watchPicture(status, memory, state, room)].slice(0, height())
  }
  const refresh = async (): Promise<void> => {
    try {
      status = await look()
      trouble = undefined
    } catch (error) {
      if (!(error instanceof ControlError)) throw error
      trouble = error.message
    }
  }
  const steer = async ({ request, what }: Extract<WatchEffect, { do: 'steer' }>): Promise<void> => {
    try {
      const answer = await client.steer(request)
      state = { ...state, message: answer.ok ? `done: ${answer.changes.join('; ') || what}` : answer.problem }
    } catch (error) {
      if (!(error instanceof ControlError)) throw error
      state = { ...state, message: error.message }
    }
    await refresh()
  }
  await fullScreen(tools, {
    every,
    refresh,
    picture,
    async typed(text) {
      for (const key of keysOf(text)) {
        const next = pressed(state, key, listRows(status, state.toggled), Math.max(1, height() - 8))
        state = next.state
        if (next.effect?.do === 'quit') return true
        if (next.effect !== undefined) await steer(next.effect)
        // What was pasted, or typed ahead, is no answer to a question that was not there yet.
        if (state.question !== undefined) break
      }
      return false
    },
  })
}

async function newEvents(client: ControlClient, after: number): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of client.events({ after, follow: false })) events.push(event)
  return events
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

/** One picture where none can be redrawn: a pipe, a dumb terminal. */
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

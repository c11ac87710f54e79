import type { Status } from '../model.ts'
import type { Screen } from '../screen.ts'
import { paragraph } from '../screen.ts'
import { amount, briefly } from '../quantities.ts'
import { serverRow, weightDiffers } from '../server-row.ts'
import { sparkline } from '../sparkline.ts'
import { headerLines, summary } from '../status-header.ts'
import { layOut, printTable, type Cell, type Column, type Row } from '../table.ts'
import { displayWidth, printable } from '../text.ts'
import { eventLines } from '../commands/events.ts'
import { chosenIndex, keyHelp, type WatchState } from './keys.ts'
import { latencyOf, type WatchMemory } from './memory.ts'
import { listRows, type ListRow } from './rows.ts'

/** A screen of so many lines. */
export interface Room extends Screen {
  readonly height: number
  readonly unicode: boolean
}

const columns: readonly Column[] = [
  { head: '  NAME', align: 'left' },
  { head: 'STATE', align: 'left' },
  { head: 'FOR', align: 'left' },
  { head: 'WGT', align: 'right' },
  { head: 'ACT', align: 'right' },
  { head: 'CPS', align: 'right' },
  { head: 'RATE', align: 'left' },
  { head: 'MS', align: 'right' },
  { head: 'LATENCY', align: 'left' },
]
const sparkWidth = 8
/** A screen lower than this has no room for who tells it; events come in from here on. */
const roomy = 20

/** The live screen: never wider or higher than its room, and the chosen row is always on it. */
export function watchPicture(status: Status, memory: WatchMemory, state: WatchState, room: Room): string[] {
  const { height } = room
  const rows = listRows(status, state.toggled)
  const header = height >= roomy ? headerLines(status, room) : paragraph(room, summary(status))
  const footer = footerLines(state, room)
  const most = Math.max(0, height - footer.length)
  const top = header.slice(0, Math.max(0, Math.floor(most / 2)))
  const events = height >= roomy ? eventSection(memory, room).slice(0, Math.floor(most / 4)) : []
  const left = Math.max(0, most - top.length - events.length - 1)
  const list = left === 0 ? [] : ['', ...listLines(rows, state, status.at, memory, room, left)]
  return [...top, ...list, ...events, ...footer].map((line) => cut(line, room)).slice(0, height)
}

function listLines(
  rows: readonly ListRow[],
  state: WatchState,
  now: number,
  memory: WatchMemory,
  room: Room,
  height: number,
): string[] {
  const { width, paint } = room
  const at = chosenIndex(state, rows)
  const table = rows.map((row, i) => rowOf(row, i === at, now, memory, room))
  const layout = layOut(columns, table, width)
  const [heading, ...blocks] = [[], ...table].map((row, i) =>
    i === 0
      ? printTable(columns, [], layout, width, paint)
      : printTable(columns, [row as Row], layout, width, paint).slice(layout.stacked ? 0 : 1),
  )
  const head = heading ?? []
  const before = blocks.slice(0, at).reduce((sum, block) => sum + block.length, 0)
  const chosen = blocks[at]?.length ?? 0
  const lines = blocks.flat()
  const visible = Math.max(1, height - head.length)
  // The chosen row in the middle, as far as there is something to show above and below.
  const wanted = before - Math.max(0, Math.floor((visible - chosen) / 2))
  const from = Math.max(0, Math.min(wanted, lines.length - visible))
  return [...head, ...lines.slice(from, from + visible)].slice(0, height)
}

function rowOf({ key, service, server }: ListRow, chosen: boolean, now: number, memory: WatchMemory, room: Room): Row {
  const mark = chosen ? '> ' : '  '
  const course = (values: readonly number[] | undefined): Cell => ({
    text: values === undefined ? '' : sparkline(values, sparkWidth, room.unicode),
  })
  const rate = course(memory.rates.get(key))
  const name = (text: string, indent = ''): Cell => ({
    text: mark + indent + printable(text),
    ...(chosen ? { tone: 'strong' as const } : {}),
  })
  if (server === undefined) {
    const up = service.servers.filter(({ state }) => state === 'up').length
    return {
      cells: [
        name(service.name),
        { text: service.state, tone: service.state === 'up' ? 'good' : 'bad' },
        { text: briefly(now - service.since) },
        { text: `${up}/${service.servers.length}`, ...(up < service.servers.length ? { tone: 'warn' as const } : {}) },
        { text: amount(service.totals.activeConnections) },
        { text: amount(service.totals.connectionRate) },
        rate,
        { text: '' },
        { text: '' },
      ],
      notes: [],
    }
  }
  const { cells, notes } = serverRow(server, { now, verbose: chosen })
  const latency = latencyOf(server)
  return {
    cells: [
      name(server.name, '  '),
      cells[1] ?? { text: '' },
      cells[2] ?? { text: '' },
      weightCell(server),
      { text: amount(server.traffic.activeConnections) },
      { text: amount(server.traffic.connectionRate) },
      rate,
      { text: latency === undefined ? '' : amount(latency) },
      course(memory.latencies.get(key)),
    ],
    notes: chosen ? notes : notes.slice(0, 1),
  }
}

/** What is wanted, and after `!` what the kernel has instead. */
function weightCell(server: Parameters<typeof weightDiffers>[0]): Cell {
  const text = (weight: number | undefined): string => (weight === undefined ? '-' : amount(weight))
  return weightDiffers(server)
    ? { text: `${text(server.wantedWeight)}!${text(server.kernelWeight)}`, tone: 'alarm' }
    : { text: text(server.wantedWeight) }
}

function eventSection({ events }: WatchMemory, room: Room): string[] {
  if (events.length === 0) return []
  const title = paragraph(room, 'last events', { tone: 'strong' })
  return ['', ...title, ...events.toReversed().flatMap((event) => eventLines(event, room).slice(0, 1))]
}

function footerLines({ question, message }: WatchState, room: Room): string[] {
  if (question !== undefined) return paragraph(room, `${printable(question.what)}? y does it, any other key not`, { tone: 'alarm' }) // prettier-ignore
  return paragraph(room, message === undefined ? keyHelp : printable(message), {
    tone: message === undefined ? 'dim' : 'strong',
  })
}

/** Only a single word longer than the screen meets this; colour is left away then, as a cut could fall into it. */
function cut(line: string, { width }: Room): string {
  const bare = line.replace(/\x1b\[[0-9;]*m/g, '')
  if (displayWidth(bare) <= width) return line
  let text = ''
  for (const character of bare) {
    if (displayWidth(text + character) > width) break
    text += character
  }
  return text
}

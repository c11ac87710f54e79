import type { Paint, Tone } from './paint.ts'
import { displayWidth, padEnd, padStart, wrap } from './text.ts'

export interface Column {
  readonly head: string
  readonly align: 'left' | 'right'
}

export interface Cell {
  readonly text: string
  readonly tone?: Tone | undefined
}

export interface Row {
  /** The first is the row's name. As many as there are columns. */
  readonly cells: readonly Cell[]
  /** Sentences under the row. */
  readonly notes: readonly Cell[]
}

/** How wide each column is; `stacked`: the columns do not fit beside each other at all. */
export interface Layout {
  readonly widths: readonly number[]
  readonly gap: number
  readonly stacked: boolean
}

const indent = '  '
const noteIndent = '      '

/**
 * One layout for all tables of a screen. Where the widest names leave too little room, the first column becomes
 * narrower, and longer names stand on a line of their own.
 */
export function layOut(columns: readonly Column[], rows: readonly Row[], width: number): Layout {
  const natural = columns.map((column) => displayWidth(column.head))
  for (const { cells } of rows) {
    cells.forEach((cell, i) => {
      natural[i] = Math.max(natural[i] ?? 0, displayWidth(cell.text))
    })
  }
  const [name = 0, ...others] = natural
  const rest = indent.length + others.reduce((sum, one) => sum + one, 0)
  for (const gap of [2, 1]) {
    const room = width - rest - gap * others.length
    if (room >= name) return { widths: natural, gap, stacked: false }
  }
  const room = width - rest - others.length
  const least = Math.max(displayWidth(columns[0]?.head ?? ''), 8)
  return { widths: [Math.max(room, least), ...others], gap: 1, stacked: room < least }
}

/** The heading and the rows, as lines. */
export function printTable(
  columns: readonly Column[],
  rows: readonly Row[],
  layout: Layout,
  width: number,
  paint: Paint,
): string[] {
  const lines: string[] = []
  if (!layout.stacked) {
    const heads = columns.map(({ head }): Cell => ({ text: head, tone: 'dim' }))
    lines.push(printCells(columns, heads, layout, paint))
  }
  for (const row of rows) {
    lines.push(
      ...(layout.stacked ? printStacked(columns, row, width, paint) : printRow(columns, row, layout, width, paint)),
    )
    for (const { text, tone } of row.notes) {
      lines.push(...wrap(text, width, noteIndent, `${noteIndent}  `).map((line) => paint(tone, line)))
    }
  }
  return lines
}

function printRow(columns: readonly Column[], row: Row, layout: Layout, width: number, paint: Paint): string[] {
  const [name = { text: '' }, ...figures] = row.cells
  if (displayWidth(name.text) <= (layout.widths[0] ?? 0)) return [printCells(columns, row.cells, layout, paint)]
  const named = wrap(name.text, width, indent, `${indent}  `).map((line) => paint(name.tone, line))
  return [...named, printCells(columns, [{ text: '' }, ...figures], layout, paint)]
}

function printCells(columns: readonly Column[], cells: readonly Cell[], layout: Layout, paint: Paint): string {
  let line = indent
  let pending = ''
  cells.forEach(({ text, tone }, i) => {
    const width = layout.widths[i] ?? 0
    const padded = columns[i]?.align === 'right' ? padStart(text, width) : padEnd(text, width)
    const bare = padded.trimEnd()
    // Blanks go before the next text, never to the end of a line.
    if (bare !== '') line += pending + paint(tone, bare)
    pending = (bare === '' ? pending + padded : ' '.repeat(padded.length - bare.length)) + ' '.repeat(layout.gap)
  })
  return line.trimEnd()
}

/** For terminals too narrow for columns: the name, then `head value` pairs, wrapped. */
function printStacked(columns: readonly Column[], { cells }: Row, width: number, paint: Paint): string[] {
  const [name, ...figures] = cells
  const noBreak = '\u00a0'
  const pairs = figures
    .map(({ text }, i) => (text.trim() === '' ? '' : `${columns[i + 1]?.head ?? ''} ${text.trim()}`))
    .filter((pair) => pair !== '')
    .map((pair) => (indent.length + displayWidth(pair) + 3 > width ? pair : pair.replaceAll(' ', noBreak)))
  return [
    ...(name === undefined ? [] : wrap(name.text, width, indent).map((line) => paint(name.tone, line))),
    ...wrap(pairs.join(', '), width, `${indent}  `).map((line) => line.replaceAll(noBreak, ' ')),
  ]
}

import { count } from '@ipvs-director/core'
import type { Cell, Column, Row } from './table.ts'
import type { CheckStatus, ServerStatus, SteeringStatus, Traffic, VirtualServerStatus } from './model.ts'
import { ago, amount, briefly, lengthy } from './quantities.ts'
import { printable } from './text.ts'
import type { Tone } from './paint.ts'

/** Columns of a table of real servers. CPS, INBPS and OUTBPS as ipvsadm has them: per second. */
export const serverColumns: readonly Column[] = [
  { head: 'SERVER', align: 'left' },
  { head: 'STATE', align: 'left' },
  { head: 'FOR', align: 'left' },
  { head: 'WANT', align: 'right' },
  { head: 'HAVE', align: 'right' },
  { head: 'ACTIVE', align: 'right' },
  { head: 'INACT', align: 'right' },
  { head: 'CPS', align: 'right' },
  { head: 'INBPS', align: 'right' },
  { head: 'OUTBPS', align: 'right' },
]

export interface RowOptions {
  /** The moment the status tells of. */
  readonly now: number
  /** Also the reason of those that are up, and every check. */
  readonly verbose: boolean
}

const tones = { up: 'good', down: 'bad', unknown: 'warn' } as const satisfies Record<ServerStatus['state'], Tone>

/** A real server and, under it, why it is as it is. */
export function serverRow(server: ServerStatus, options: RowOptions): Row {
  const admin = server.steering?.admin
  const state: Cell =
    admin === undefined ? { text: server.state, tone: tones[server.state] } : { text: admin, tone: 'warn' }
  const since = server.since === undefined ? '-' : briefly(options.now - server.since)
  return {
    cells: [{ text: printable(server.name) }, state, { text: since }, ...kernelCells(server)],
    notes: [
      ...steeringNotes(server, options.now),
      ...reasonNotes(server, options),
      ...weightNotes(server),
      ...(options.verbose ? server.checks.map((check) => checkNote(check, options.now)) : []),
    ],
  }
}

/** The sorry server: it has no checks; whether it serves is what the table says. */
export function sorryRow(server: ServerStatus, service: VirtualServerStatus, now: number): Row {
  const active = (server.wantedWeight ?? 0) > 0
  const state: Cell = active ? { text: 'active', tone: 'warn' } : { text: 'standby', tone: 'dim' }
  const since: Cell = { text: active && service.state === 'down' ? briefly(now - service.since) : '-' }
  return {
    cells: [{ text: `sorry ${printable(server.name)}` }, state, since, ...kernelCells(server)],
    notes: weightNotes(server),
  }
}

/** The sums of a service. */
export function totalRow(totals: Traffic): Row {
  const none: Cell = { text: '' }
  return { cells: [{ text: 'total', tone: 'dim' }, none, none, none, none, ...trafficCells(totals)], notes: [] }
}

/** Whether the kernel has another weight than is wanted, as far as it was asked. */
export function weightDiffers(server: ServerStatus): boolean {
  return server.kernelAt !== undefined && server.kernelWeight !== server.wantedWeight
}

function kernelCells(server: ServerStatus): Cell[] {
  const wanted: Cell = { text: server.wantedWeight === undefined ? '-' : String(server.wantedWeight) }
  const there = server.kernelWeight === undefined ? '-' : String(server.kernelWeight)
  const have: Cell = weightDiffers(server)
    ? { text: `!${there}`, tone: 'alarm' }
    : { text: server.kernelAt === undefined ? '?' : there }
  const nothing: Cell = { text: '-' }
  const figures = server.kernelWeight === undefined ? trafficHeads.map(() => nothing) : trafficCells(server.traffic)
  return [wanted, have, ...figures]
}

const trafficHeads = serverColumns.slice(5)

function trafficCells(traffic: Traffic): Cell[] {
  const { activeConnections, inactiveConnections, connectionRate, inByteRate, outByteRate } = traffic
  return [activeConnections, inactiveConnections, connectionRate, inByteRate, outByteRate].map((value) => ({
    text: amount(value),
  }))
}

/** What was asked for by hand, as sentences. */
function steeringNotes({ steering }: ServerStatus, now: number): Cell[] {
  if (steering === undefined) return []
  const { admin, since, deadline, connectionsLeft, weight, force, added } = steering
  const when = since === undefined ? '' : ` ${ago(since, now)}`
  const left = connectionsLeft === undefined ? '' : `: ${count(connectionsLeft, 'connection')} left`
  const until = deadline === undefined ? '' : `, at most ${lengthy(deadline - now)} more`
  const texts = [
    ...(admin === undefined ? [] : [`${admin} ${whyOf(steering)}${when}${left}${until}`]),
    ...(force === undefined ? [] : [`forced ${force} by hand, whatever its checks say`]),
    ...(weight === undefined ? [] : [`weight ${weight} by hand`]),
    ...(added ? ['added by hand; it is not in the file'] : []),
  ]
  return texts.map((text) => ({ text, tone: 'warn' }))
}

function whyOf({ host, leaving }: SteeringStatus): string {
  if (leaving) return 'as the file has it no more,'
  return host ? 'by maintenance of its host' : 'by hand'
}

function reasonNotes(server: ServerStatus, { verbose, now }: RowOptions): Cell[] {
  const reason = printable(server.reason)
  if (server.state === 'up') {
    const failing = server.checks.filter((check) => check.failures > 0)
    const forgiven = failing.map((check): Cell => ({ text: forgivenText(check), tone: 'warn' }))
    return verbose && reason !== ''
      ? [{ text: `${reason}${checkedText(server, now)}`, tone: 'dim' }, ...forgiven]
      : forgiven
  }
  const text = reason === '' ? 'no verdict yet' : reason
  return [{ text: verbose ? `${text}${checkedText(server, now)}` : text, tone: tones[server.state] }]
}

function checkedText(server: ServerStatus, now: number): string {
  return server.checkedAt === undefined ? '' : ` (${ago(server.checkedAt, now)})`
}

/** Failures below the limit: still up, but somebody should know. */
function forgivenText(check: CheckStatus): string {
  return `failing (${check.failures} of ${check.retry} forgiven): ${check.kind}: ${printable(check.reason)}`
}

function weightNotes(server: ServerStatus): Cell[] {
  if (!weightDiffers(server)) return []
  const have = server.kernelWeight === undefined ? 'no entry' : `weight ${server.kernelWeight}`
  const want = server.wantedWeight === undefined ? 'none is' : `${server.wantedWeight} is`
  return [{ text: `the kernel has ${have} where ${want} wanted`, tone: 'alarm' }]
}

/** A script has no target. */
export function checkName({ kind, target }: Pick<CheckStatus, 'kind' | 'target'>): string {
  return target === '' ? kind : `${kind} ${printable(target)}`
}

/** One check as a sentence. */
export function checkNote(check: CheckStatus, now: number): Cell {
  const since = check.since === undefined ? '' : ` for ${lengthy(now - check.since)}`
  const parts = [
    `${check.state}${since}`,
    ...(check.tookMs === undefined ? [] : [`took ${Number(check.tookMs.toPrecision(3))} ms`]),
    `${check.failed} of ${count(check.probes, 'probe')} failed`,
    ...(check.nextInMs === undefined ? [] : [`next in ${lengthy(check.nextInMs)}`]),
  ]
  return { text: `${checkName(check)}: ${parts.join(', ')}`, tone: 'dim' }
}

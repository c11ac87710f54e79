import { headerLines } from './status-header.ts'
import type { ForeignService, Status } from './model.ts'
import { paragraph, type Screen } from './screen.ts'
import { serverColumns } from './server-row.ts'
import { serviceRows, serviceView } from './service-view.ts'
import { layOut } from './table.ts'
import { printable } from './text.ts'
import { vrrpSummary } from './vrrp-view.ts'

export interface StatusScreenOptions {
  /** For somebody who asked for one service: every reason and every check. Default false. */
  readonly verbose?: boolean
}

/**
 * The screen of `ipvs-ctl status`, as lines of at most `screen.width` columns (a single longer word excepted). Every
 * configured server is there, the failed ones with their reason; ages count from the moment the status was made.
 */
export function statusScreen(status: Status, screen: Screen, { verbose = false }: StatusScreenOptions = {}): string[] {
  const now = status.at
  const tables = status.virtualServers.map((service) => ({ service, rows: serviceRows(service, { now, verbose }) }))
  const everyRow = tables.flatMap(({ rows }) => rows)
  const layout = layOut(serverColumns, everyRow, screen.width)
  return [
    ...headerLines(status, screen),
    ...vrrpSummary(status, screen),
    ...tables.flatMap(({ service, rows }) => ['', ...serviceView(service, rows, layout, screen, now)]),
    ...foreignLines(status.foreign, screen, mostForeign),
  ]
}

/** Of what is not ours so much is shown that our own stays on the screen. */
const mostForeign = 10

/** Services of others in the kernel's table; those beyond `most` are counted. */
export function foreignLines(foreign: readonly ForeignService[], screen: Screen, most = Infinity): string[] {
  if (foreign.length === 0) return []
  const lines = foreign.slice(0, most).flatMap(({ name, scheduler, destinations }) => {
    const shown = destinations.slice(0, most).map(printable).join(' ')
    const left = destinations.length - most
    const to = destinations.length === 0 ? 'no destinations' : left > 0 ? `${shown} and ${left} more` : shown
    return paragraph(screen, `${printable(name)} ${printable(scheduler)}: ${to}`, { indent: '  ', rest: '      ' })
  })
  const left = foreign.length - most
  if (left > 0) lines.push(...paragraph(screen, `and ${left} more: see \`ipvs-ctl drift\``, { indent: '  ' }))
  return ['', ...paragraph(screen, "in the kernel's table, not ours, left alone:", { tone: 'warn' }), ...lines]
}

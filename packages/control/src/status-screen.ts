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
    ...foreignLines(status.foreign, screen),
  ]
}

/** Services of others in the kernel's table. */
export function foreignLines(foreign: readonly ForeignService[], screen: Screen): string[] {
  if (foreign.length === 0) return []
  const lines = foreign.flatMap(({ name, scheduler, destinations }) => {
    const to = destinations.length === 0 ? 'no destinations' : destinations.map(printable).join(' ')
    return paragraph(screen, `${printable(name)} ${printable(scheduler)}: ${to}`, { indent: '  ', rest: '      ' })
  })
  return ['', ...paragraph(screen, "in the kernel's table, not ours, left alone:", { tone: 'warn' }), ...lines]
}

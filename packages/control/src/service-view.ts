import { count } from '@ipvs-director/core'
import { oldestFigures } from './status-header.ts'
import { paragraph, type Screen } from './screen.ts'
import { serverColumns, serverRow, sorryRow, totalRow, type RowOptions } from './server-row.ts'
import { printTable, type Layout, type Row } from './table.ts'
import type { VirtualServerStatus } from './model.ts'
import { ago, briefly, lengthy } from './quantities.ts'
import { displayWidth, printable } from './text.ts'

/** Services of a group that are listed by name. */
const namedServices = 12

/** The rows of a virtual server: its real servers, the sorry server, the sum where there is something to add. */
export function serviceRows(service: VirtualServerStatus, options: RowOptions): Row[] {
  return [
    ...service.servers.map((server) => serverRow(server, options)),
    ...(service.sorryServer === undefined ? [] : [sorryRow(service.sorryServer, service, options.now)]),
    ...(service.servers.length > 1 ? [totalRow(service.totals)] : []),
  ]
}

/** A virtual server: what it is, whether it serves and what that hangs on, and its real servers. */
export function serviceView(
  service: VirtualServerStatus,
  rows: readonly Row[],
  layout: Layout,
  screen: Screen,
  now: number,
): string[] {
  const { width, paint } = screen
  const up = service.state === 'up'
  const state = `${up ? 'UP' : 'DOWN'} for ${briefly(now - service.since)}`
  return [
    ...headline(printable(service.name), state, up, screen),
    ...paragraph(screen, `${describe(service)}; ${quorumText(service)}`, { indent: '  ' }),
    ...servicesLines(service, screen),
    ...byHandLines(service, screen, now),
    ...(service.panic
      ? paragraph(screen, '! PANIC: too many are down to believe it; all of them serve', {
          indent: '  ',
          tone: 'alarm',
        })
      : []),
    ...(service.refused === undefined
      ? []
      : paragraph(screen, `! NOT OFFERED: the kernel refuses it: ${printable(service.refused)}`, {
          indent: '  ',
          tone: 'alarm',
        })),
    ...staleLines(service, screen, now),
    ...(rows.length === 0
      ? [paint('warn', '  no real servers')]
      : printTable(serverColumns, rows, layout, width, paint)),
  ]
}

function headline(name: string, state: string, up: boolean, screen: Screen): string[] {
  const tone = up ? 'good' : 'alarm'
  if (displayWidth(name) + 2 + state.length <= screen.width) {
    return [`${screen.paint('strong', name)}  ${screen.paint(tone, state)}`]
  }
  return [...paragraph(screen, name, { tone: 'strong' }), ...paragraph(screen, state, { tone, indent: '  ' })]
}

function describe({ scheduler, forwarding, persistence }: VirtualServerStatus): string {
  return [scheduler, forwarding, ...(persistence > 0 ? [`persistence ${persistence} s`] : [])].join(', ')
}

/**
 * What the answer hangs on: quorum is lost below quorum - hysteresis (and always at 0), and gained at quorum +
 * hysteresis.
 */
export function quorumText({ state, aliveWeight, quorum, hysteresis }: VirtualServerStatus): string {
  const has = `alive weight ${aliveWeight}, quorum ${quorum}`
  if (state === 'down') {
    return `${has} (gained at ${hysteresis > 0 ? `${quorum} + ${hysteresis} = ${quorum + hysteresis}` : quorum})`
  }
  const limit = quorum - hysteresis
  if (limit <= 1) return `${has} (lost at 0)`
  return `${has} (lost below ${hysteresis > 0 ? `${quorum} - ${hysteresis} = ${limit}` : limit})`
}

function servicesLines(service: VirtualServerStatus, screen: Screen): string[] {
  if (service.services.length === 1 && service.services[0] === service.name) return []
  const named = service.services.slice(0, namedServices).map(printable)
  const more = service.services.length - named.length
  const text = named.join(', ') + (more > 0 ? `, and ${count(more, 'more', 'more')}` : '')
  return paragraph(screen, `services: ${text === '' ? 'none' : text}`, { indent: '  ', tone: 'dim' })
}

/** Virtual servers that are not as the file says. */
function byHandLines({ added, leaving }: VirtualServerStatus, screen: Screen, now: number): string[] {
  const left = leaving?.deadline === undefined ? '' : `, at most ${lengthy(leaving.deadline - now)} more`
  return [
    ...(added === true ? ['added by hand'] : []),
    ...(leaving === undefined ? [] : [`is removed when its real servers are drained${left}`]),
  ].flatMap((text) => paragraph(screen, text, { indent: '  ', tone: 'warn' }))
}

/** Said only where figures are older than a reader would think. */
function staleLines(service: VirtualServerStatus, screen: Screen, now: number): string[] {
  const oldest = oldestFigures([service])
  if (oldest === undefined || now - oldest < 60_000) return []
  return paragraph(screen, `the kernel's figures are of ${ago(oldest, now)}`, { indent: '  ', tone: 'warn' })
}

import { count } from '@ipvs-director/core'
import type { ServerState, Status, VirtualServerStatus } from './model.ts'
import { ago, lengthy } from './quantities.ts'
import { paragraph, preformatted, type Screen } from './screen.ts'
import { printable } from './text.ts'

/** Who tells this, from which configuration, how fresh the kernel's figures are; then what must not be overlooked. */
export function headerLines(status: Status, screen: Screen): string[] {
  return [
    ...paragraph(screen, programText(status), { tone: 'strong' }),
    ...paragraph(screen, configText(status)),
    ...paragraph(screen, kernelText(status)),
    ...paragraph(screen, summary(status)),
    ...comparison(status, screen),
    ...dataPathLines(status, screen),
    ...alarms(status, screen),
  ]
}

function programText({ version, pid, startedAt, at }: Status): string {
  return `ipvs-director ${version}, pid ${pid}, up ${lengthy(at - startedAt)}`
}

function configText({ config, at }: Status): string {
  const { file, loadedAt, reloads, warnings } = config
  const remarks = warnings === 0 ? '' : `, ${count(warnings, 'warning')} (\`ipvs-ctl check\`)`
  return `config ${printable(file)}, loaded ${ago(loadedAt, at)}, ${count(reloads, 'reload')}${remarks}`
}

function kernelText({ kernel, virtualServers, at }: Status): string {
  const name = kernel.ipvs === 'memory' ? 'table in memory (no kernel)' : `kernel IPVS ${kernel.ipvs}`
  const counts = [
    count(kernel.writes, 'write'),
    ...(kernel.refused > 0 ? [`${kernel.refused} refused`] : []),
    ...(kernel.drifts > 0 ? [`${count(kernel.drifts, 'drift')} repaired`] : []),
  ]
  const audited = `audited ${ago(kernel.auditedAt, at)}`
  const figures = oldestFigures(virtualServers)
  const age =
    figures === undefined ? [] : [`figures ${at - figures < 1000 ? 'just read' : `${lengthy(at - figures)} old`}`]
  return `${name}, ${[audited, ...age, ...counts].join(', ')}`
}

function dataPathLines({ dataPaths = [] }: Status, screen: Screen): string[] {
  if (dataPaths.length === 0) return []
  const absent = dataPaths.filter(({ present }) => !present).length
  const text = `${count(dataPaths.length, 'data path')}, each by a service of our own for a mark${absent === 0 ? '' : `; ${absent} NOT IN THE KERNEL`}`
  return paragraph(screen, text, absent === 0 ? {} : { tone: 'alarm' })
}

/** When the kernel was asked for the oldest of the figures on the screen; undefined: never. */
export function oldestFigures(services: readonly VirtualServerStatus[]): number | undefined {
  let oldest: number | undefined
  for (const { servers } of services) {
    for (const { kernelAt } of servers) if (kernelAt !== undefined) oldest = Math.min(oldest ?? kernelAt, kernelAt)
  }
  return oldest
}

/** `2 virtual servers, 1 down; 5 real servers: 2 up, 2 down, 1 unknown`. */
export function summary({ virtualServers }: Status): string {
  const down = virtualServers.filter((service) => service.state === 'down').length
  const states: Record<ServerState, number> = { up: 0, down: 0, unknown: 0 }
  for (const service of virtualServers) for (const server of service.servers) states[server.state]++
  const all = states.up + states.down + states.unknown
  const parts = [
    `${states.up} up`,
    ...(states.down > 0 ? [`${states.down} down`] : []),
    ...(states.unknown > 0 ? [`${states.unknown} unknown`] : []),
  ]
  const services = count(virtualServers.length, 'virtual server') + (down > 0 ? `, ${down} down` : '')
  return `${services}; ${count(all, 'real server')}${all > 0 ? `: ${parts.join(', ')}` : ''}`
}

/** A director that only looks must not be taken for one that serves. */
function comparison({ comparing, at }: Status, screen: Screen): string[] {
  if (comparing === undefined) return []
  const { since, looks, open, counted, waiting, brief } = comparing
  const short = brief.count === 0 ? '' : `; ${count(brief.count, 'short one')}, the longest ${lengthy(brief.longest)}`
  const now = `${open.length} now${waiting === 0 ? '' : `, ${waiting} that may still be the pace of the checks`}`
  return [
    ...paragraph(screen, `COMPARING for ${lengthy(at - since)}: nothing is written; another program has the kernel`, {
      tone: 'strong',
    }),
    ...paragraph(screen, `${count(looks, 'look')}, ${count(counted, 'difference')}: ${now}${short}`, {
      indent: '  ',
      tone: open.length === 0 ? 'good' : 'warn',
    }),
    ...open.flatMap(({ at: from, service, server, kernel, ours, why }) =>
      paragraph(
        screen,
        `! ${server === undefined ? '' : `${printable(server)} of `}${printable(service)} for ${lengthy(at - from)}: ` +
          `the kernel has ${printable(kernel)}, we would have ${printable(ours)}: ${printable(why)}`,
        { tone: 'alarm' },
      ),
    ),
  ]
}

function alarms(
  { config, kernel, probers, probing, troubles = [], sources = [], removedServices = [], at }: Status,
  screen: Screen,
): string[] {
  const lines: string[] = []
  const shout = (text: string): void => void lines.push(...paragraph(screen, `! ${text}`, { tone: 'alarm' }))
  if (config.errors > 0) {
    const without = config.leftOut.length === 0 ? '' : `, WITHOUT ${config.leftOut.map(printable).join(', ')}`
    shout(`RUNS WITH ${count(config.errors, 'ERROR', 'ERRORS')} in its configuration${without}`)
    for (const text of config.diagnostics) lines.push(...preformatted(screen, text, 'bad'))
  }
  if (config.refused !== undefined) {
    const loaded = ago(config.loadedAt, at)
    shout(`LAST RELOAD REFUSED ${ago(config.refused.at, at)}; what was loaded ${loaded} still runs`)
    for (const text of config.refused.diagnostics) lines.push(...preformatted(screen, text, 'bad'))
  }
  if (config.onTrialUntil !== undefined) {
    shout(`ON TRIAL: rolled back in ${lengthy(config.onTrialUntil - at)} without \`ipvs-ctl confirm\``)
  }
  if (!kernel.reachable) {
    const error = kernel.lastError === undefined ? '' : `: ${printable(kernel.lastError.message)}`
    shout(`KERNEL UNREACHABLE${error}; last audited ${ago(kernel.auditedAt, at)}`)
  } else if (kernel.lastError !== undefined) {
    const text = `last refusal of the kernel, ${ago(kernel.lastError.at, at)}: ${printable(kernel.lastError.message)}`
    lines.push(...paragraph(screen, text, { tone: 'warn' }))
  }
  for (const prober of probers) {
    if (prober.pid !== undefined || prober.checks === 0) continue
    shout(`${printable(prober.name)} is not running: ${count(prober.checks, 'check stands', 'checks stand')} still`)
  }
  for (const { message, since } of troubles) shout(`${printable(message)} (for ${lengthy(at - since)})`)
  for (const remark of probing?.remarks ?? []) {
    lines.push(...paragraph(screen, `! ${printable(remark)}`, { tone: 'warn' }))
  }
  for (const { name, servers, answeredAt, failed } of sources) {
    if (failed === undefined) continue
    const kept =
      answeredAt === undefined ? 'it never answered' : `its ${count(servers, 'server')} of ${ago(answeredAt, at)} stay`
    shout(`SOURCE FAILS ${printable(name)} for ${lengthy(at - failed.at)}: ${printable(failed.message)}; ${kept}`)
  }
  for (const name of removedServices) {
    lines.push(...paragraph(screen, `removed by hand: virtual server ${printable(name)}`, { tone: 'warn' }))
  }
  return lines
}

import { count } from '@ipvs-director/core'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { Drift, DriftReport } from '../model.ts'
import { ago } from '../quantities.ts'
import { paragraph, type Screen } from '../screen.ts'
import { foreignLines } from '../status-screen.ts'
import { printable } from '../text.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface DriftOptions {
  readonly json: boolean
  /** Audit now instead of telling what the last audit found. */
  readonly now: boolean
  /** End with 6 where something was found. */
  readonly exitCode: boolean
}

/** `ipvs-ctl drift`: where the kernel's table was not as wanted. */
export async function runDrift(context: CommandContext, options: DriftOptions): Promise<ExitStatus> {
  const report = options.now ? await context.client.audit() : await context.client.drift()
  if (options.json) printAnswer(context, report)
  else printLines(context, driftScreen(report, outScreen(context), context.tools.clock.wall()))
  return options.exitCode && report.found.length > 0 ? exitStatus.degraded : exitStatus.ok
}

/** A report of an audit, as lines. */
export function driftScreen(report: DriftReport, screen: Screen, now: number): string[] {
  if (report.comparing === true) return compareLines(report, screen, now)
  const when = `audit ${ago(report.at, now)}`
  const none = report.found.length === 0
  return [
    ...paragraph(
      screen,
      none ? `${when}: the kernel's table is as wanted` : `${when}: ${count(report.found.length, 'difference')}`,
      {
        tone: none ? 'good' : 'warn',
      },
    ),
    ...report.found.flatMap((drift) => driftLines(drift, screen, now)),
    ...(report.recent.length === 0 ? [] : ['', ...paragraph(screen, 'found by earlier audits:', { tone: 'dim' })]),
    ...report.recent.flatMap((drift) => driftLines(drift, screen, now)),
    ...foreignLines(report.foreign, screen),
  ]
}

/** Nothing is repaired here: each is told with how long it has been so. */
function compareLines(report: DriftReport, screen: Screen, now: number): string[] {
  const none = report.found.length === 0
  const text = none ? 'no difference' : count(report.found.length, 'difference')
  const told = (drifts: readonly Drift[]): string[] =>
    drifts.flatMap(({ at, what }) => paragraph(screen, `${printable(what)}; since ${ago(at, now)}`, { indent: '  ' }))
  return [
    ...paragraph(screen, `comparing, last look ${ago(report.at, now)}: ${text} from what the kernel has`, {
      tone: none ? 'good' : 'warn',
    }),
    ...told(report.found),
    ...(report.recent.length === 0 ? [] : ['', ...paragraph(screen, 'over again:', { tone: 'dim' })]),
    ...told(report.recent),
  ]
}

function driftLines({ at, what, repaired }: Drift, screen: Screen, now: number): string[] {
  const outcome = repaired ? 'repaired' : 'NOT REPAIRED'
  return paragraph(screen, `${printable(what)}: ${outcome}, ${ago(at, now)}`, {
    indent: '  ',
    ...(repaired ? {} : { tone: 'alarm' as const }),
  })
}

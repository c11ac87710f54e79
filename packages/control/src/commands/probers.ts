import { count } from '@ipvs-director/core'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { needsText } from '../needs-text.ts'
import { paragraph } from '../screen.ts'
import { printable } from '../text.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface ProbersOptions {
  /** The one to start anew; undefined: look at them. */
  readonly restart: string | undefined
  readonly json: boolean
}

/** `ipvs-ctl probers`, and `probers restart NAME`: the processes that probe, and what they need. */
export async function runProbers(context: CommandContext, { restart, json }: ProbersOptions): Promise<ExitStatus> {
  const { client } = context
  const screen = outScreen(context)
  if (restart !== undefined) {
    const prober = /^\d+$/.test(restart) ? `prober ${restart}` : restart
    await client.restartProber(prober)
    if (json) printAnswer(context, { action: 'restart', prober })
    else printLines(context, paragraph(screen, `${printable(prober)} is started anew; its servers keep their state`))
    return exitStatus.ok
  }
  const { probers, probing, at } = await client.status()
  if (json) {
    printAnswer(context, { at, probers, ...(probing === undefined ? {} : { probing }) })
    return exitStatus.ok
  }
  printLines(context, [
    ...(probers.length === 0 ? ['no prober processes: everything is probed by the director itself'] : []),
    ...probers.flatMap(({ name, pid, checks, restarts }) =>
      paragraph(
        screen,
        `${printable(name)}: ${pid === undefined ? 'not running' : `process ${pid}`}, ${count(checks, 'check')}, ${count(restarts, 'restart')}`,
        pid === undefined && checks > 0 ? { tone: 'alarm' } : {},
      ),
    ),
    ...(probing === undefined ? [] : needsText(probing, screen)),
  ])
  return exitStatus.ok
}

import { count } from '@ipvs-director/core'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { lengthy } from '../quantities.ts'
import { paragraph, preformatted } from '../screen.ts'
import { printable } from '../text.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface ReloadOptions {
  readonly json: boolean
  /** Milliseconds within which it must be confirmed, or it is rolled back. */
  readonly confirm: number | undefined
}

/** `ipvs-ctl reload`: what changed, or why it was refused. */
export async function runReload(context: CommandContext, { json, confirm }: ReloadOptions): Promise<ExitStatus> {
  const result = await context.client.reload({ confirmWithin: confirm })
  const screen = outScreen(context)
  if (json) {
    printAnswer(context, result)
  } else {
    const verdict = result.ok
      ? `reloaded: ${count(result.changes.length, 'change')}, ${count(result.writes, 'write')} to the kernel`
      : 'reload refused: the configuration that was running goes on'
    printLines(context, [
      ...result.diagnostics.flatMap((text) => preformatted(screen, text, undefined, '')),
      ...result.changes.flatMap((text) => paragraph(screen, printable(text), { indent: '  ' })),
      ...paragraph(screen, verdict, { tone: result.ok ? 'good' : 'bad' }),
      ...(result.confirmWithin === undefined
        ? []
        : paragraph(screen, `on trial: rolled back in ${lengthy(result.confirmWithin)} without \`ipvs-ctl confirm\``)),
    ])
  }
  return result.ok ? exitStatus.ok : exitStatus.refused
}

import { closest } from '../closest.ts'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { paragraph } from '../screen.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

/** Whether a word is the code of a remark about a configuration, such as W043. */
export const isCode = (word: string): boolean => /^[ewn]\d{3}$/i.test(word)

const severities = {
  error: 'error: at the start the block it stands in is left out; a reload is refused',
  warning: 'warning: it works, as the text says; an error with --strict',
  note: 'note: worth knowing',
} as const

const verdicts: Readonly<Record<string, string>> = {
  ok: 'keepalived -t does not mind',
  error: 'keepalived -t reports it too (exit 5)',
  fatal: 'keepalived does not start with it',
  security: 'keepalived -t ends with 6',
  deprecated: 'keepalived -t calls it deprecated',
}

/** `ipvs-ctl explain CODE`: what a remark means; needs no director. */
export async function runExplainCode(
  context: CommandContext,
  { what, json }: { readonly what: string; readonly json: boolean },
): Promise<ExitStatus> {
  const tools = await context.tools.configTools()
  const found = tools.explain(what)
  if (found === undefined) {
    throw new ControlError('refused', `there is no code ${what.toUpperCase()}`, {
      code: 'no-such-code',
      suggestions: closest(what.toUpperCase(), [...tools.codes()]),
    })
  }
  if (json) printAnswer(context, { ...found })
  else {
    const screen = outScreen(context)
    printLines(context, [
      ...paragraph(screen, `${found.code}: ${found.title}`, { tone: 'strong' }),
      ...paragraph(screen, found.doc, { indent: '  ', rest: '  ' }),
      ...paragraph(screen, severities[found.severity], { indent: '  ', rest: '  ', tone: 'dim' }),
      ...paragraph(screen, verdicts[found.keepalived] ?? found.keepalived, { indent: '  ', rest: '  ', tone: 'dim' }),
    ])
  }
  return exitStatus.ok
}

import { count } from '@ipvs-director/core'
import { resolve } from 'node:path'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { paragraph, preformatted } from '../screen.ts'
import { printable } from '../text.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface PlanOptions {
  readonly file: string | undefined
  readonly json: boolean
}

/** `ipvs-ctl plan [FILE]`: what a reload would change; nothing is touched. */
export async function runPlan(context: CommandContext, { file, json }: PlanOptions): Promise<ExitStatus> {
  const path = file === undefined ? undefined : resolve(file)
  if (path !== undefined && isOursAlone(path)) {
    const words = `${path} means something else to the director, which reads it: name a file, or use \`ipvs-ctl check\``
    throw new ControlError('refused', words)
  }
  const plan = await context.client.plan(path)
  const screen = outScreen(context)
  if (json) printAnswer(context, plan)
  else {
    const verdict = plan.ok
      ? `${printable(plan.file)}: ${plan.changes.length === 0 ? 'nothing would change' : count(plan.changes.length, 'change')}`
      : `${printable(plan.file)}: would be refused`
    printLines(context, [
      ...plan.diagnostics.flatMap((text) => preformatted(screen, text, undefined, '')),
      ...plan.changes.flatMap((text) => paragraph(screen, `${sign(text)} ${printable(text)}`, { indent: '  ' })),
      ...paragraph(screen, verdict, { tone: plan.ok ? 'good' : 'bad' }),
      ...(plan.byHand ?? []).flatMap((text) => paragraph(screen, `over the file, by hand: ${printable(text)}`)),
    ])
  }
  return plan.ok ? exitStatus.ok : exitStatus.refused
}

/** What a shell hands over, such as `<(command)`. */
const isOursAlone = (path: string): boolean => /^\/(?:dev\/(?:fd\/|std)|proc\/self\/)/.test(path)

/** As a diff has it. */
function sign(change: string): string {
  if (change.startsWith('add ')) return '+'
  return change.startsWith('remove ') ? '-' : '~'
}

/** `ipvs-ctl confirm`: what was reloaded on trial stays. */
export async function runConfirm(context: CommandContext, { json }: { readonly json: boolean }): Promise<ExitStatus> {
  await context.client.confirm()
  if (json) printAnswer(context, { confirmed: true })
  else printLines(context, paragraph(outScreen(context), 'confirmed: it stays', { tone: 'good' }))
  return exitStatus.ok
}

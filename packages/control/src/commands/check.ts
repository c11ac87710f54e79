import { describeError } from '@ipvs-director/core'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { count } from '../quantities.ts'
import { paragraph, preformatted } from '../screen.ts'
import { outScreen, printJson, printLines, type CommandContext } from './context.ts'
import type { CheckedConfig } from '../tools.ts'

export interface CheckOptions {
  readonly file: string
  readonly json: boolean
  /** Warnings count as errors. */
  readonly strict: boolean
}

/** `ipvs-ctl check FILE`: reads the file as the director would, without one. */
export async function runCheck(context: CommandContext, { file, json, strict }: CheckOptions): Promise<ExitStatus> {
  const checked = await load(context, file)
  const ok = checked.errors === 0 && (!strict || checked.warnings === 0)
  if (json) {
    printJson(context, { schema: 1, file, ok, ...checked })
  } else {
    const screen = outScreen(context)
    const verdict = `${file}: ${ok ? 'fine' : 'not fine'}, ${contents(checked)}`
    printLines(context, [
      ...checked.diagnostics.flatMap((text) => preformatted(screen, text, undefined, '')),
      ...paragraph(screen, verdict, { tone: ok ? 'good' : 'bad' }),
    ])
  }
  return ok ? exitStatus.ok : exitStatus.refused
}

async function load({ tools }: CommandContext, file: string): Promise<CheckedConfig> {
  try {
    return await tools.loadConfig(file)
  } catch (error) {
    const counts = { virtualServers: 0, realServers: 0, checkers: 0 }
    return { errors: 1, warnings: 0, diagnostics: [describeError(error)], config: undefined, counts }
  }
}

function contents({ errors, warnings, counts }: CheckedConfig): string {
  const faults = [count(errors, 'error'), count(warnings, 'warning')].join(', ')
  const { virtualServers, realServers, checkers } = counts
  const things = [
    count(virtualServers, 'virtual server'),
    count(realServers, 'real server'),
    count(checkers, 'checker'),
  ]
  return `${faults}; ${things.join(', ')}`
}

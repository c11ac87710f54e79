import { count, describeError } from '@ipvs-director/core'
import type { CheckedConfig } from '../config-tools.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { needsText } from '../needs-text.ts'
import { paragraph, preformatted } from '../screen.ts'
import { configFile } from './config-file.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface CheckOptions {
  /** Undefined: the director's own. */
  readonly file: string | undefined
  readonly json: boolean
  /** Warnings are errors. */
  readonly strict: boolean
  readonly configId: string | undefined
}

/** `ipvs-ctl check [FILE]`: reads the file as the director would, without one. */
export async function runCheck(context: CommandContext, options: CheckOptions): Promise<ExitStatus> {
  const file = await configFile(context, options.file)
  const checked = await load(context, file, options)
  const ok = checked.errors === 0
  if (options.json) {
    const { remarks, diagnostics, ...rest } = checked
    const told = remarks.map((each, i) => ({ ...each, rendered: diagnostics[i] }))
    printAnswer(context, { file, ok, ...rest, diagnostics: told })
  } else {
    const screen = outScreen(context)
    const verdict = `${file}: ${ok ? 'fine' : 'not fine'}, ${contents(checked)}`
    printLines(context, [
      ...checked.diagnostics.flatMap((text) => preformatted(screen, text, undefined, '')),
      ...(checked.leftOut.length === 0
        ? []
        : paragraph(screen, `left out: ${checked.leftOut.join(', ')}`, { tone: 'bad' })),
      ...(checked.probing === undefined || checked.probing.checks === 0 ? [] : needsText(checked.probing, screen)),
      ...paragraph(screen, verdict, { tone: ok ? 'good' : 'bad' }),
    ])
  }
  return ok ? exitStatus.ok : exitStatus.refused
}

async function load({ tools }: CommandContext, file: string, options: CheckOptions): Promise<CheckedConfig> {
  try {
    return await (await tools.configTools()).check(file, { configId: options.configId, strict: options.strict })
  } catch (error) {
    const text = describeError(error)
    const counts = { vrrpInstances: 0, virtualServers: 0, realServers: 0, checkers: 0 }
    const remark = { code: 'E001', severity: 'error', text, place: { file, line: 1, column: 1 } } as const
    return { errors: 1, warnings: 0, diagnostics: [text], remarks: [remark], leftOut: [], config: undefined, counts }
  }
}

function contents({ errors, warnings, counts }: CheckedConfig): string {
  const faults = [count(errors, 'error'), count(warnings, 'warning')].join(', ')
  const { vrrpInstances, virtualServers, realServers, checkers } = counts
  const things = [
    ...(vrrpInstances === 0 ? [] : [count(vrrpInstances, 'VRRP instance')]),
    count(virtualServers, 'virtual server'),
    count(realServers, 'real server'),
    count(checkers, 'checker'),
  ]
  return `${faults}; ${things.join(', ')}`
}

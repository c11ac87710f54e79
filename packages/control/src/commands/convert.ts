import { describeError } from '@ipvs-director/core'
import { readFileSync } from 'node:fs'
import type { ConvertedConfig } from '../config-tools.ts'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { preformatted } from '../screen.ts'
import { configFile } from './config-file.ts'
import { printJson, screenOf, type CommandContext } from './context.ts'

export interface ConvertOptions {
  readonly file: string
  /** Undefined: the other spelling than the file's. */
  readonly to: 'json' | 'conf' | undefined
  readonly configId: string | undefined
}

export interface ConfigOptions {
  /** Undefined: the director's own. */
  readonly file: string | undefined
  /** The JSON spelling rather than keepalived.conf. */
  readonly json: boolean
  readonly configId: string | undefined
}

/** `ipvs-ctl convert FILE`: the same configuration in the other spelling; ldirectord's as keepalived.conf. */
export function runConvert(context: CommandContext, options: ConvertOptions): Promise<ExitStatus> {
  return write(context, options.file, options.to, options.configId)
}

/** `ipvs-ctl config [FILE]`: what a file says, minimal: definitions, sequences and includes resolved, no defaults. */
export async function runConfig(context: CommandContext, options: ConfigOptions): Promise<ExitStatus> {
  const file = await configFile(context, options.file)
  return write(context, file, options.json ? 'json' : 'conf', options.configId)
}

/** Nothing is written where the file has an error: it would be missing in the result. Remarks go to standard error. */
async function write(
  context: CommandContext,
  file: string,
  wanted: 'json' | 'conf' | undefined,
  configId: string | undefined,
): Promise<ExitStatus> {
  const converted = await convert(context, file, configId)
  const screen = screenOf(context.tools.stderr, context.tools.env)
  for (const text of converted.diagnostics)
    context.tools.stderr.write(`${preformatted(screen, text, undefined, '').join('\n')}\n`)
  if (converted.errors > 0) return exitStatus.refused
  const to = wanted ?? converted.usual ?? (isJson(file) ? 'conf' : 'json')
  if (to === 'json') printJson(context, converted.json)
  else context.tools.stdout.write(converted.conf)
  return exitStatus.ok
}

async function convert(
  { tools }: CommandContext,
  file: string,
  configId: string | undefined,
): Promise<ConvertedConfig> {
  const files = await tools.configTools()
  try {
    return await files.convert(file, { configId })
  } catch (error) {
    throw new ControlError('refused', describeError(error), { code: 'unreadable' })
  }
}

/** The JSON spelling begins with a brace. */
function isJson(file: string): boolean {
  try {
    return /^\ufeff?\s*\{/.test(readFileSync(file, 'utf8'))
  } catch {
    return false
  }
}

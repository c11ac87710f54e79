import { describeError } from '@ipvs-director/core'
import { readFileSync } from 'node:fs'
import type { ConfigTools, ConvertedConfig } from '../config-tools.ts'
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

/** `ipvs-ctl convert FILE`: the same configuration in the other spelling, to be used; ldirectord's as keepalived.conf. */
export function runConvert(context: CommandContext, options: ConvertOptions): Promise<ExitStatus> {
  return write(context, options.file, options.to, { configId: options.configId, withoutSecrets: false })
}

/**
 * `ipvs-ctl config [FILE]`: what a file says, minimal: definitions, sequences and includes resolved, no defaults. To be looked
 * at and sent to others: its secrets are left out.
 */
export async function runConfig(context: CommandContext, options: ConfigOptions): Promise<ExitStatus> {
  const file = await configFile(context, options.file)
  return write(context, file, options.json ? 'json' : 'conf', { configId: options.configId, withoutSecrets: true })
}

/** Nothing is written where the file has an error: it would be missing in the result. Remarks go to standard error. */
async function write(
  context: CommandContext,
  file: string,
  wanted: 'json' | 'conf' | undefined,
  settings: Parameters<ConfigTools['convert']>[1],
): Promise<ExitStatus> {
  const converted = await convert(context, file, settings)
  const screen = screenOf(context.tools.stderr, context.tools.env)
  for (const text of converted.diagnostics)
    context.tools.stderr.write(`${preformatted(screen, text, undefined, '').join('\n')}\n`)
  if (converted.errors > 0) return exitStatus.refused
  const to = wanted ?? converted.usual ?? (isJson(file) ? 'conf' : 'json')
  if (settings.withoutSecrets && JSON.stringify(converted.json).includes('"***"'))
    context.tools.stderr.write('secrets are shown as ***: `ipvs-ctl convert` has them, for a file to be used\n')
  if (to === 'json') printJson(context, converted.json)
  else context.tools.stdout.write(converted.conf)
  return exitStatus.ok
}

async function convert(
  { tools }: CommandContext,
  file: string,
  settings: Parameters<ConfigTools['convert']>[1],
): Promise<ConvertedConfig> {
  const files = await tools.configTools()
  try {
    return await files.convert(file, settings)
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

import type { ControlClient } from '../client.ts'
import { coloured, plain, wantsColour } from '../paint.ts'
import type { Screen } from '../screen.ts'
import type { CtlTools, Output } from '../tools.ts'

/** What every command is handed. */
export interface CommandContext {
  readonly tools: CtlTools
  readonly client: ControlClient
}

/** Columns where the output is no terminal and COLUMNS is not set. */
const usualWidth = 80

/** The output as a screen: its width now, colour or not. */
export function screenOf(output: Output, env: CtlTools['env']): Screen {
  const told = Number(env['COLUMNS'] ?? '')
  const width = output.columns ?? (Number.isInteger(told) && told > 0 ? told : usualWidth)
  return { width: Math.max(20, width), paint: wantsColour(output.isTTY, env) ? coloured : plain }
}

/** Where a command's answer goes. */
export function outScreen({ tools }: CommandContext): Screen {
  return screenOf(tools.stdout, tools.env)
}

export function printLines({ tools }: CommandContext, lines: readonly string[]): void {
  if (lines.length > 0) tools.stdout.write(`${lines.join('\n')}\n`)
}

/** JSON for programs: one value, indented. */
export function printJson({ tools }: CommandContext, value: unknown): void {
  tools.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** The answer of a command in JSON, with the version of its schema first (ctl-schema.ts, docs/json.md). */
export function printAnswer(context: CommandContext, answer: object): void {
  printJson(context, { schema: 1, ...answer })
}

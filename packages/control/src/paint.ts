import { styleText } from 'node:util'

/** What a piece of text is to the reader; how that looks is the painter's business. */
export type Tone = 'good' | 'bad' | 'warn' | 'dim' | 'strong' | 'alarm'

/** Text in, text with or without colour out. */
export type Paint = (tone: Tone | undefined, text: string) => string

const formats = {
  good: 'green',
  bad: 'red',
  warn: 'yellow',
  dim: 'dim',
  strong: 'bold',
  alarm: ['bold', 'red'],
} as const satisfies Record<Tone, Parameters<typeof styleText>[0] | readonly string[]>

export const plain: Paint = (_, text) => text

export const coloured: Paint = (tone, text) => {
  if (tone === undefined || text === '') return text
  const format = formats[tone]
  // validateStream: false, because whether to colour is decided by wantsColour and not by this process's stdout.
  return styleText(typeof format === 'string' ? format : [...format], text, { validateStream: false })
}

/**
 * Colour only on terminals; `FORCE_COLOR` (not 0) turns it on elsewhere, else `NO_COLOR` (https://no-color.org) or
 * `TERM=dumb` turns it off.
 */
export function wantsColour(isTTY: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  const force = env['FORCE_COLOR']
  if (force !== undefined) return force !== '0' && force !== 'false'
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  return isTTY && env['TERM'] !== 'dumb'
}

import type { Paint, Tone } from './paint.ts'
import { displayWidth, wrap } from './text.ts'

/** Where lines go: how wide it is, and how to colour. */
export interface Screen {
  readonly width: number
  readonly paint: Paint
}

/** A sentence as lines of the screen's width. */
export function paragraph(
  { width, paint }: Screen,
  text: string,
  { tone, indent = '', rest = `${indent}  ` }: { tone?: Tone; indent?: string; rest?: string } = {},
): string[] {
  return wrap(text, width, indent, rest).map((line) => paint(tone, line))
}

/** Text that has its own lines (a diagnostic with its excerpt): those that fit stay as they are. */
export function preformatted(screen: Screen, text: string, tone: Tone | undefined, indent = '    '): string[] {
  return text.split('\n').flatMap((line) => {
    const safe = line
      .replace(/\t/g, '    ')
      .replace(/[\p{Cc}\p{Cs}]/gu, '?')
      .trimEnd()
    if (displayWidth(indent + safe) <= screen.width) return [screen.paint(tone, indent + safe).trimEnd()]
    return wrap(safe, screen.width, indent, `${indent}  `).map((one) => screen.paint(tone, one))
  })
}

import { count } from '@ipvs-director/core'
import type { ProbingNeeds } from './model.ts'
import { paragraph, type Screen } from './screen.ts'
import { printable } from './text.ts'

/** What probing takes, and what of it will not fit. */
export function needsText({ checks, rate, open, load, memory, remarks }: ProbingNeeds, screen: Screen): string[] {
  const pace = rate < 10 ? Number(rate.toFixed(1)) : Math.round(rate)
  const text =
    `${count(checks, 'distinct check')}: ${count(pace, 'probe')} a second, ${Math.round(load * 100)} % of what the probers ` +
    `can do; at most ${open} at once; about ${Math.ceil(memory / 2 ** 20)} MiB`
  return [
    ...paragraph(screen, text),
    ...remarks.flatMap((remark) => paragraph(screen, `! ${printable(remark)}`, { tone: 'warn' })),
  ]
}

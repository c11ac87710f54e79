import { block, timing } from '@ipvs-director/config'
import { seconds, type Clock, type Millis } from '@ipvs-director/core'
import type { Attempt } from '../attempt.ts'
import { defineLocalChecker, type Checker, type Probe } from '../define.ts'
import type { HealthMachine } from '../health.ts'
import { fail, pass, type Finding } from '../verdict.ts'

/** One probe that a {@link scriptedChecker} was asked for. */
export interface AskedProbe {
  readonly name: string
  readonly part: number
  readonly at: number
  readonly attempt: Attempt
  answer(finding: Finding): void
}

export interface ScriptedChecker {
  readonly checker: Checker
  /** Every probe so far, newest last. */
  readonly asked: AskedProbe[]
}

/** What a scripted check does: `+`, `-`, `!` (our own failure) in turn, the last for ever; `?` never answers. */
export interface ScriptedOptions {
  readonly name: string
  readonly script: string
}

/** A checker that does what its options say, and remembers when it was asked. Kind: SCRIPTED. */
export function scriptedChecker(
  clock: Clock,
  change: { readonly health?: HealthMachine; readonly interval?: 'end' | 'start'; readonly deadline?: Millis } = {},
): ScriptedChecker {
  const asked: AskedProbe[] = []
  const turns = new Map<string, number>()
  const checker = defineLocalChecker({
    block: block('SCRIPTED', 'For tests.', { ...timing }),
    defaults: { retry: 1, delayBeforeRetry: seconds(1) },
    ...(change.health === undefined ? {} : { health: change.health }),
    ...(change.interval === undefined ? {} : { interval: change.interval }),
    ...(change.deadline === undefined ? {} : { deadline: () => change.deadline as Millis }),
    probe: ({ options, part, attempt }: Probe<ScriptedOptions>) =>
      new Promise<Finding>((resolve) => {
        const turn = turns.get(options.name) ?? 0
        turns.set(options.name, turn + 1)
        asked.push({ name: options.name, part, at: clock.now(), attempt, answer: resolve })
        const symbol = options.script[Math.min(turn, options.script.length - 1)] ?? '?'
        const finding = findings[symbol]
        if (finding !== undefined) resolve(finding)
        else if (symbol === '?')
          attempt.onEnd = (why) => {
            resolve(fail('timeout', `ended: ${why}`))
          }
      }),
  })
  // As one that connects, so that its steps have their own time.
  return { checker: { ...checker, connection: true }, asked }
}

const findings: Readonly<Record<string, Finding>> = {
  '+': pass('as scripted'),
  '-': fail('refused', 'as scripted'),
  '!': fail('local', 'as scripted'),
  '5': pass('as scripted', 5),
  '7': pass('as scripted', 7),
}

import type { CheckConnection, CheckTiming } from '@ipvs-director/config'
import { millis, systemClock, type Millis } from '@ipvs-director/core'
import type { Verdict } from '../checker.ts'
import type { Checker } from '../define.ts'
import type { ProbeIo } from '../io/port.ts'
import { beginAttempt } from '../running-attempt.ts'
import { defaultTiming } from './checks.ts'

/** Makes one probe of a checker, by the clock of the machine, and answers what it found. */
export async function probeOnce(
  checker: Checker,
  io: ProbeIo,
  connection: CheckConnection | undefined,
  options: Readonly<Record<string, unknown>> = {},
  knobs: { readonly timeout?: Millis; readonly part?: number; readonly timing?: Partial<CheckTiming> } = {},
): Promise<Verdict> {
  const timeout = knobs.timeout ?? millis(2000)
  const timing: CheckTiming = { ...defaultTiming, timeout, ...knobs.timing }
  const attempt = beginAttempt(systemClock, checker, timing)
  const watch = setInterval(() => {
    if (attempt.due <= systemClock.now()) attempt.end('timeout')
  }, 5)
  try {
    const finding = await checker.probe({ options, part: knobs.part ?? 0, timeout, attempt, io }, connection)
    return { ...finding, took: attempt.elapsed() }
  } finally {
    clearInterval(watch)
  }
}

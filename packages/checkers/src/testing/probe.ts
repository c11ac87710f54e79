import type { CheckConnection, CheckTiming } from '@ipvs-director/config'
import { millis, systemClock, type Millis } from '@ipvs-director/core'
import type { Verdict } from '../checker.ts'
import type { Checker } from '../define.ts'
import type { ProbeIo } from '../io/port.ts'
import { notOpened, opened, type Door } from '../opened.ts'
import { beginAttempt } from '../running-attempt.ts'
import { fail } from '../verdict.ts'
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
  const opening = connection === undefined ? undefined : checker.opens(options)
  if (connection !== undefined && opening !== undefined && (typeof opening === 'string' || io.exchanges)) {
    return openOnce(io, { at: connection, opening }, timeout, checker.deadline(timing))
  }
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

/** As the engine asks, for a single one. */
function openOnce(io: ProbeIo, door: Door, timeout: Millis, whole: Millis): Promise<Verdict> {
  const began = systemClock.now()
  const took = (): Millis => millis(systemClock.now() - began)
  return new Promise((resolve) => {
    const doors = io.doors((_, failure, status = 0) => {
      clearInterval(watch)
      const finding = failure === undefined ? opened(door, took(), status) : fail(failure.class, failure.message)
      resolve({ ...finding, took: took() })
    })
    const watch = setInterval(() => {
      const { steppedAt = began, waiting } = doors.progress(0, door.opening) ?? {}
      if (Math.min(steppedAt + timeout, began + whole) > systemClock.now()) return
      clearInterval(watch)
      doors.giveUp(0, door.at, door.opening)
      resolve({ ...notOpened(door, took(), waiting), took: took() })
    }, 5)
    doors.ask(0, door.at, door.opening)
    doors.go()
  })
}

import { setTimeout as sleep } from 'node:timers/promises'
import { formatDuration, millis, type Millis } from '@ipvs-director/core'

/** Between two questions: long enough to leave the one processor of a guest to what is waited for. */
const pause = millis(20)

/**
 * Asks again and again until the answer is yes, and resolves with how long that took. An exception ends the waiting; when
 * the time is up the error names what was waited for.
 */
export async function until(
  what: string,
  within: Millis,
  answer: () => boolean | Promise<boolean>,
  last: () => string = () => '',
): Promise<Millis> {
  const began = performance.now()
  for (;;) {
    let yes: boolean
    try {
      yes = await answer()
    } catch (cause) {
      throw new Error(`waiting until ${what}`, { cause })
    }
    const waited = millis(performance.now() - began)
    if (yes) return waited
    if (waited > within) throw new Error(`not within ${formatDuration(within)}: ${what}${detail(last())}`)
    await sleep(pause)
  }
}

const detail = (text: string): string => (text === '' ? '' : `\n${text}`)

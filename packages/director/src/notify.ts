import type { Globals, Script } from '@ipvs-director/config'
import { describeError, seconds, type Clock, type Logger } from '@ipvs-director/core'
import type { EventLog } from './events.ts'

/** Runs one script to its end; rejects when it cannot be started. Declared here, given by `main.ts`. */
export type RunScript = (script: Script, globals: Globals) => Promise<void>

export interface Notifier {
  /** Queues a script of a transition; undefined does nothing. Never waited for, its exit status is not looked at. */
  run(script: Script | undefined, why: string): void
  /** Resolves when everything queued has ended, or after `limit` milliseconds. */
  drain(limit: number): Promise<void>
}

export interface NotifierOptions {
  readonly run: RunScript
  readonly globals: () => Globals
  readonly clock: Clock
  readonly logger: Logger
  readonly events: Pick<EventLog, 'add'>
}

/** At most this many young scripts at once, so that a storm of transitions is not a storm of processes. */
const atOnce = 16
/** One that takes longer is no longer young: nobody waits for it but those told of the same. */
const young = seconds(10)
/** At most this many at once that are told of the same thing: keepalived starts any number. */
const ofOneAtOnce = 4
/** At most this many at once whatever their age. */
const most = 256

/**
 * Scripts told of the same thing (`why`) start in the order of their events. Keepalived starts each at once, so none that hangs
 * may keep others waiting: after a while it is counted, and told of, as hung.
 */
export function createNotifier({ run, globals, clock, logger, events }: NotifierOptions): Notifier {
  const waiting: Told[] = []
  const running = new Set<Promise<void>>()
  const lanes = new Map<string, number>()
  let youngOnes = 0

  const next = (): void => {
    let at = 0
    while (youngOnes < atOnce && running.size < most) {
      const told = waiting[at]
      if (told === undefined) return
      if ((lanes.get(told.why) ?? 0) < ofOneAtOnce) {
        waiting.splice(at, 1)
        start(told)
      } else at++
    }
  }

  const start = ({ script, why }: Told): void => {
    lanes.set(why, (lanes.get(why) ?? 0) + 1)
    youngOnes++
    let isYoung = true
    const age = (): void => {
      if (isYoung) youngOnes--
      isYoung = false
    }
    const timer = clock.after(young, () => {
      age()
      const message = `${why}: ${script.words.join(' ')} hangs: it has not ended within ${young / 1000} s`
      logger.warn('script.hangs', message)
      events.add('script.hangs', message, { script: script.words[0] ?? '' })
      next()
    })
    const ended: Promise<void> = run(script, globals())
      .catch((error: unknown) => {
        logger.error('script.failed', `${why}: cannot run ${script.words.join(' ')}: ${describeError(error)}`)
      })
      .finally(() => {
        timer.cancel()
        age()
        running.delete(ended)
        const others = (lanes.get(why) ?? 1) - 1
        if (others > 0) lanes.set(why, others)
        else lanes.delete(why)
        next()
      })
    running.add(ended)
  }

  return {
    run(script, why) {
      if (script === undefined) return
      waiting.push({ script, why })
      next()
    },
    async drain(limit) {
      let timer: NodeJS.Timeout | undefined
      const expired = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, limit)
      })
      const empty = async (): Promise<void> => {
        while (running.size > 0) await Promise.all(running)
      }
      await Promise.race([empty(), expired])
      clearTimeout(timer)
    },
  }
}

/** A script to run. */
interface Told {
  readonly script: Script
  readonly why: string
}

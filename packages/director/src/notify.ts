import type { Globals, Script } from '@ipvs-director/config'
import { describeError, type Logger } from '@ipvs-director/core'

/** Runs one script to its end; rejects when it cannot be started. Declared here, given by `main.ts`. */
export type RunScript = (script: Script, globals: Globals) => Promise<void>

export interface Notifier {
  /** Queues a script of a transition; undefined does nothing. Never waited for, its exit status is not looked at. */
  run(script: Script | undefined, why: string): void
  /** Resolves when everything queued has ended, or after `limit` milliseconds. */
  drain(limit: number): Promise<void>
}

/** At most this many scripts at once, so that a storm of transitions is not a storm of processes. */
const atOnce = 16

/** Scripts start in the order of their events. */
export function createNotifier(run: RunScript, globals: () => Globals, logger: Logger): Notifier {
  const waiting: { script: Script; why: string }[] = []
  const running = new Set<Promise<void>>()

  const next = (): void => {
    while (running.size < atOnce) {
      const entry = waiting.shift()
      if (entry === undefined) return
      const ended: Promise<void> = run(entry.script, globals())
        .catch((error: unknown) => {
          logger.error(
            'script.failed',
            `${entry.why}: cannot run ${entry.script.words.join(' ')}: ${describeError(error)}`,
          )
        })
        .finally(() => {
          running.delete(ended)
          next()
        })
      running.add(ended)
    }
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

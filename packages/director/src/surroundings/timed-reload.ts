import type { ProcessFiles } from '@ipvs-director/config'
import { describeError, errorCode, millis, seconds, type Clock, type Logger, type Timer } from '@ipvs-director/core'
import { readFileSync, rmSync } from 'node:fs'
import { parseReloadTime, type ReloadTime } from './reload-time.ts'

/** Reloads at the time that a file names (`reload_time_file`, `reload_repeat`). */
export interface TimedReload {
  use(wish: ProcessFiles['reloadTime']): void
  stop(): void
}

/** The file is looked at this often; the moment itself is met exactly. */
const look = seconds(5)

export function createTimedReload(options: {
  readonly clock: Clock
  readonly logger: Logger
  readonly reload: () => void
}): TimedReload {
  const { clock, logger, reload } = options
  let wish: ProcessFiles['reloadTime']
  let timer: Timer | undefined
  let text = ''
  let due: ReloadTime | undefined

  /** What the file says now; a change of it is told. */
  function read(path: string): void {
    const now = contentOf(path, logger)
    if (now === text) return
    text = now
    due = now === '' ? undefined : parseReloadTime(now, clock.wall())
    if (due !== undefined) logger.info('reload.timed', `Reload at ${new Date(due.at).toISOString()}, by ${path}`)
    else if (now !== '')
      logger.warn('reload.timed', `${path}: "${now}" is no time to come; wanted [YYYY-MM-DD ]HH:MM:SS[Z]`)
  }

  function turn(): void {
    if (wish === undefined) return
    read(wish.path)
    if (due !== undefined && clock.wall() >= due.at) {
      const { daily } = due
      due = daily && wish.repeat ? parseReloadTime(text, clock.wall()) : undefined
      if (!daily) remove(wish.path, logger)
      reload()
    }
    const wait = due === undefined ? look : Math.max(1, Math.min(look, due.at - clock.wall()))
    timer = clock.after(millis(wait), turn)
  }

  return {
    use(next) {
      if (JSON.stringify(next) === JSON.stringify(wish)) return
      timer?.cancel()
      wish = next
      text = ''
      due = undefined
      turn()
    },
    stop() {
      timer?.cancel()
      wish = undefined
    },
  }
}

function contentOf(path: string, logger: Logger): string {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') logger.warn('reload.timed', `cannot read ${path}: ${describeError(error)}`)
    return ''
  }
}

/** A date counts once. */
function remove(path: string, logger: Logger): void {
  try {
    rmSync(path, { force: true })
  } catch (error) {
    logger.warn('reload.timed', `cannot remove ${path}: ${describeError(error)}`)
  }
}

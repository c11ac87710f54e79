import { seconds, type Clock, type Timer } from '@ipvs-director/core'

/** Remarks that may come by the thousand: at most a few a second, then how many more there were. */
export interface Throttled {
  tell(message: string): void
  stop(): void
}

const window = seconds(1)
const perWindow = 10

export function throttled(clock: Clock, tell: (message: string) => void): Throttled {
  let told = 0
  let held = 0
  let last = ''
  let timer: Timer | undefined

  function close(): void {
    if (held > 0) tell(held === 1 ? last : `${last} (and ${held - 1} more like it)`)
    timer = held > 0 ? clock.after(window, close) : undefined
    told = held > 0 ? 1 : 0
    held = 0
  }

  return {
    tell(message) {
      timer ??= clock.after(window, close)
      if (told < perWindow) {
        told++
        tell(message)
      } else {
        held++
        last = message
      }
    },
    stop() {
      timer?.cancel()
      timer = undefined
    },
  }
}

import type { Millis } from '@ipvs-director/core'
import type { CtlTools } from '../tools.ts'

const enter = '\x1b[?1049h\x1b[?25l\x1b[2J'
const leave = '\x1b[?25h\x1b[?1049l'
const home = '\x1b[H'
const eraseLine = '\x1b[K'
const eraseBelow = '\x1b[J'

export interface FullScreen {
  readonly every: Millis
  /** Looks again; what went wrong is its own to show. */
  refresh(): Promise<void>
  /** The lines of the picture, as many as there are rows. */
  picture(): readonly string[]
  /** What was typed; true: it is over. */
  typed(text: string): boolean | Promise<boolean>
}

/** Whether escape sequences do what they should there. */
export const canRedraw = ({ stdout, env }: CtlTools): boolean => stdout.isTTY && env['TERM'] !== 'dumb'

/**
 * Draws in place on the terminal's other screen, so that what was there is there again at the end; redraws when time is
 * over, when a key was pressed, and when the terminal gets another size.
 */
export async function fullScreen(tools: CtlTools, screen: FullScreen): Promise<void> {
  const state = { over: tools.interrupted.aborted }
  let wake: () => void = () => undefined
  const end = (): void => {
    state.over = true
    wake()
  }
  const draw = (): void => {
    if (state.over) return
    const lines = screen.picture().map((line) => line + eraseLine)
    tools.stdout.write(home + lines.join('\r\n') + eraseBelow)
  }
  tools.interrupted.addEventListener('abort', end, { once: true })
  const stopKeys = tools.keys((text) => {
    void Promise.resolve(screen.typed(text)).then((over) => {
      if (over) end()
      else draw()
    })
    draw()
  })
  const stopSizes = tools.resized(() => {
    tools.stdout.write('\x1b[2J')
    draw()
  })
  const look = async (): Promise<void> => {
    await screen.refresh()
    draw()
  }
  try {
    tools.stdout.write(enter)
    while (!isOver()) {
      await look()
      if (isOver()) break
      await new Promise<void>((resolve) => {
        const timer = tools.clock.after(screen.every, resolve)
        wake = () => {
          timer.cancel()
          resolve()
        }
      })
    }
  } finally {
    stopKeys()
    stopSizes()
    tools.interrupted.removeEventListener('abort', end)
    tools.stdout.write(leave)
  }

  function isOver(): boolean {
    return state.over
  }
}

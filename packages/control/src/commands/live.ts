import type { Millis } from '@ipvs-director/core'
import { ControlError } from '../control-error.ts'
import type { CtlTools } from '../tools.ts'
import { printable } from '../text.ts'
import { screenOf } from './context.ts'
import { canRedraw } from './full-screen.ts'
import { wrap } from '../text.ts'

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
const home = '\x1b[H'
const eraseLine = '\x1b[K'
const eraseBelow = '\x1b[J'
const eraseAll = '\x1b[2J'

/** Lines a key moves the picture by; `page`: as many as fit. */
const moves: Readonly<Record<string, number | 'page' | '-page'>> = {
  '\x1b[A': -1,
  k: -1,
  '\x1b[B': 1,
  j: 1,
  '\x1b[5~': '-page',
  '\x1b[6~': 'page',
  ' ': 'page',
}

/**
 * Draws a picture again and again until `q`, Ctrl-C or SIGTERM. On a terminal it is redrawn in place, cut to its height
 * (arrow keys and page keys move it); elsewhere (or `raw`) the pictures follow each other. A director that goes away
 * meanwhile is told and waited for.
 */
export async function live(
  tools: CtlTools,
  every: Millis,
  draw: () => Promise<readonly string[]>,
  raw = false,
): Promise<void> {
  const terminal = canRedraw(tools) && !raw
  let lines: readonly string[] = []
  let top = 0
  let leave: () => void = () => undefined
  const left = new Promise<void>((resolve) => (leave = resolve))
  let over = tools.interrupted.aborted
  const end = (): void => {
    over = true
    leave()
  }
  tools.interrupted.addEventListener('abort', end, { once: true })
  const show = (): void => {
    if (!terminal) tools.stdout.write(`${lines.join('\n')}\n`)
    else top = paintPicture(tools, lines, top)
  }
  const stopKeys = terminal
    ? tools.keys((key) => {
        if (key === 'q' || key === 'Q' || key === '\x03' || key === '\x04') end()
        const move = moves[key]
        if (move === undefined || over) return
        const page = Math.max(1, (tools.stdout.rows ?? 24) - 2)
        top += move === 'page' ? page : move === '-page' ? -page : move
        show()
      })
    : (): void => undefined
  try {
    if (terminal) tools.stdout.write(hideCursor + eraseAll)
    while (!over) {
      lines = await draw().catch((error: unknown) => trouble(tools, error))
      if (isOver()) break
      show()
      await Promise.race([pause(tools, every, left), left])
    }
  } finally {
    stopKeys()
    tools.interrupted.removeEventListener('abort', end)
    if (terminal) tools.stdout.write(`${showCursor}\n`)
  }

  function isOver(): boolean {
    return over
  }
}

function pause({ clock }: CtlTools, every: Millis, left: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(every, resolve)
    void left.then(() => {
      timer.cancel()
    })
  })
}

/** What went wrong takes the picture's place; only what the director says is shown so, the rest is a fault of ours. */
function trouble(tools: CtlTools, error: unknown): string[] {
  if (!(error instanceof ControlError)) throw error
  const { width, paint } = screenOf(tools.stdout, tools.env)
  return wrap(`! ${printable(error.message)}`, width).map((line) => paint('alarm', line))
}

/** Draws what fits from line `top` on and returns the line it really began at. */
function paintPicture({ stdout }: CtlTools, lines: readonly string[], wanted: number): number {
  const room = Math.max(2, stdout.rows ?? 24) - 1
  const top = Math.max(0, Math.min(wanted, lines.length - room))
  const visible = lines.slice(top, top + room)
  const below = lines.length - top - visible.length
  const footer =
    below > 0 || top > 0 ? `lines ${top + 1}-${top + visible.length} of ${lines.length}, q quits` : 'q quits'
  stdout.write(home + visible.map((line) => `${line}${eraseLine}\n`).join('') + footer + eraseLine + eraseBelow)
  return top
}

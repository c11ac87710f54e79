import { performance } from 'node:perf_hooks'

const prefix = 'set-up: '

/**
 * Tells what is being done. On a terminal a line is redrawn with the percentage or the seconds so far; elsewhere a line
 * appears when a step begins, every ten seconds, and when it is done.
 */
export class Progress {
  /** A line of its own. */
  say(/** @type {string} */ text) {
    for (const line of text.split('\n')) console.log(prefix + line)
  }

  /**
   * Does one thing. Without a text nothing is told.
   * @template T
   * @param {string | undefined} text
   * @param {(report: (done: string) => void) => Promise<T>} work is given a function that tells how far it is
   * @returns {Promise<T>}
   */
  async step(text, work) {
    if (text === undefined) return work(() => undefined)
    const terminal = process.stdout.isTTY === true
    const began = performance.now()
    const seconds = () => Math.round((performance.now() - began) / 1000)
    let done = ''
    const draw = () => {
      const detail = [done, `${seconds()} s`].filter((part) => part !== '').join(', ')
      if (terminal) process.stdout.write(`\r\x1b[K${prefix}${text} … ${detail}`)
      else console.log(`${prefix}  … ${detail}`)
    }
    if (terminal) draw()
    else console.log(`${prefix}${text} …`)
    const timer = setInterval(draw, terminal ? 250 : 10_000)
    try {
      const result = await work((how) => {
        done = how
      })
      console.log(`${terminal ? '\r\x1b[K' : ''}${prefix}${terminal ? `${text}: ` : '  '}done in ${seconds()} s`)
      return result
    } catch (error) {
      if (terminal) process.stdout.write('\n')
      throw error
    } finally {
      clearInterval(timer)
    }
  }
}

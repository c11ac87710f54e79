import type { VirtualServer } from './config.ts'
import type { Statement } from './statement.ts'

/** What an earlier load of (nearly) the same text gave: what has not changed since then needs not be read again. */
export interface Before {
  readonly virtualServers: readonly VirtualServer[]
  /** Which lines of a file are as they were, at the same numbers; undefined: not known. */
  readonly unchanged: (file: string) => UnchangedLines | undefined
}

/** What is known when a configuration is loaded again. */
export interface Known {
  /**
   * Asked of each virtual server whether there is one already that is equal to it, places included: that is taken, and the
   * new one can be forgotten.
   */
  readonly instead?: (resolved: VirtualServer) => VirtualServer
  /** An earlier load whose virtual servers are taken where their text is unchanged. */
  readonly before?: Before
}

/** All up to the line `to` (Infinity: the whole file), and all from the line `from` on (Infinity: none at the end). */
export interface UnchangedLines {
  readonly to: number
  readonly from: number
}

/** What virtual servers were read under of which there was nothing to say: their text and this decide what they are. */
const readUnder = new WeakMap<VirtualServer, string>()

/** Notes that a virtual server, and that nothing was said of it, follows from its own lines and `context` alone. */
export function settle(virtual: VirtualServer, context: string): void {
  readUnder.set(virtual, context)
}

/** Whether a block and everything in it stands as such in one file: no substitution, no repetition, no include. */
export function isPlain(block: Statement, source = block.source): boolean {
  if (block.written !== undefined || block.source !== source) return false
  return block.body === undefined || block.body.every((each) => isPlain(each, source))
}

/** Finds virtual servers of an earlier load by where they stand. */
export class Earlier {
  readonly #before: Before
  /** By file and line; undefined where there are several. */
  readonly #byFile = new Map<string, Map<number, VirtualServer | undefined>>()

  constructor(before: Before) {
    this.#before = before
    for (const virtual of before.virtualServers) {
      const { file, line } = virtual.place
      let lines = this.#byFile.get(file)
      if (lines === undefined) this.#byFile.set(file, (lines = new Map<number, VirtualServer | undefined>()))
      lines.set(line, lines.has(line) ? undefined : virtual)
    }
  }

  /** What a block gave before, where reading it would give that again. `next`: the statement that follows it. */
  find(block: Statement, next: Statement | undefined, context: string): VirtualServer | undefined {
    const { file } = block.source
    const found = this.#byFile.get(file)?.get(block.line)
    if (found === undefined || readUnder.get(found) !== context) return undefined
    const same = this.#before.unchanged(file)
    if (same === undefined) return undefined
    const end = next?.source === block.source ? next.line : Infinity
    return (end <= same.to || block.line >= same.from) && isPlain(block) ? found : undefined
  }
}

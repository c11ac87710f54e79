import type { VirtualServer } from './config.ts'
import type { Kept, Statement } from './statement.ts'

/** What an earlier load of (nearly) the same text gave: what has not changed since then needs not be read again. */
export interface Before {
  readonly blocks: ReadBlocks
  /** Which lines of a file are as they were; undefined: not known. */
  readonly unchanged: (file: string) => UnchangedLines | undefined
  /** Only whole virtual servers are taken. */
  readonly whole?: boolean
}

/** What is known when a configuration is loaded again. */
export interface Known {
  /**
   * Asked of each virtual server whether there is one already that is equal to it, places included: that is taken, and the
   * new one can be forgotten.
   */
  readonly instead?: (resolved: VirtualServer) => VirtualServer
  /** An earlier load of which blocks are taken where their text is unchanged. */
  readonly before?: Before
}

/**
 * All up to the line `to` (Infinity: the whole file), and all from the line `from` on (Infinity: none at the end); these
 * had numbers smaller by `shift`.
 */
export interface UnchangedLines {
  readonly to: number
  readonly from: number
  readonly shift: number
}

/** A virtual server of which there was nothing to say: its lines and `context` decide what it is. */
export interface ReadBlock {
  virtual: VirtualServer
  readonly line: number
  /** How many lines it takes, alone on all but the first; and how many characters. */
  readonly lines: number
  readonly length: number
  readonly context: string
  /** Where it has many real servers: they can be taken one by one. */
  readonly parts: ReadParts | undefined
}

interface ReadParts {
  /** What the virtual server says beside its real servers: together with the context it decides what their lines mean. */
  readonly own: string
  /** Of each of its real servers: line below the first one of the virtual server, lines, characters. */
  readonly servers: Int32Array
}

/** The blocks that a load has read, by file, in the order of its lines; undefined: it was included more than once. */
export type ReadBlocks = ReadonlyMap<string, readonly ReadBlock[] | undefined>

/** The text is not what it seemed to be by its unchanged lines: it must be read with less taken from before. */
export class NotAsBefore extends Error {
  override readonly name = 'NotAsBefore'
}

/** A block of unchanged lines as {@link Earlier} finds it. */
export interface KeptService extends Kept {
  readonly read: ReadBlock
}

/** Finds blocks of an earlier load by where they stand. */
export class Earlier {
  readonly #before: Before
  /** The virtual server that is being read, where its first line is unchanged, and what it was. */
  #open: { readonly statement: Statement; readonly read: ReadBlock } | undefined

  constructor(before: Before) {
    this.#before = before
  }

  /** The virtual server that a block is, where all of its lines are unchanged. */
  service(statement: Statement, context: string): KeptService | undefined {
    const { source, line, written } = statement
    this.#open = undefined
    const same = this.#before.unchanged(source.file)
    const blocks = this.#before.blocks.get(source.file)
    if (written !== undefined || same === undefined || blocks === undefined) return undefined
    const shift = line <= same.to ? 0 : same.shift
    const read = blocks[indexOf(line - shift, blocks.length, (i) => blocks[i]?.line ?? 0)]
    if (read?.context !== context) return undefined
    const { virtual: block, lines, length } = read
    if (isUnchanged(line, lines, same)) return { block, lines, length, shift, read }
    if (line <= same.to && this.#before.whole !== true) this.#open = { statement, read }
    return undefined
  }

  /** The real server that a block of the virtual server asked for last is, where all of its lines are unchanged. */
  server({ source, line, written }: Statement, outer: Statement): Kept | undefined {
    const { statement, read } = this.#open ?? {}
    const same = this.#before.unchanged(source.file)
    if (statement !== outer || outer.source !== source || written !== undefined) return undefined
    if (read?.parts === undefined || same === undefined) return undefined
    const { servers } = read.parts
    const shift = line <= same.to ? 0 : same.shift
    const i = indexOf(line - shift - read.line, servers.length / 3, (at) => servers[3 * at] ?? 0)
    const [block, lines = 0, length = 0] = [read.virtual.realServers[i], servers[3 * i + 1], servers[3 * i + 2]]
    if (block === undefined || lines === 0 || !isUnchanged(line, lines, same)) return undefined
    return { block, lines, length, shift }
  }

  /** What the virtual server asked for last said beside its real servers. */
  ownOf(statement: Statement): string | undefined {
    return this.#open?.statement === statement ? this.#open.read.parts?.own : undefined
  }
}

const isUnchanged = (line: number, lines: number, { to, from }: UnchangedLines): boolean =>
  line + lines - 1 <= to || line >= from

/** Which of `count` ascending numbers is `wanted`; -1: none. */
function indexOf(wanted: number, count: number, at: (index: number) => number): number {
  let [low, high] = [0, count - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const found = at(middle)
    if (found === wanted) return middle
    if (found < wanted) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** Real servers are found again one by one only where there are so many: of few the text is soon read. */
const many = 32

/** Notes what was read, for the next load. */
export class Recorder {
  readonly blocks = new Map<string, ReadBlock[] | undefined>()

  /** A virtual server that was read of which nothing was to be said; `own`: see {@link ReadParts}. */
  read(virtual: VirtualServer, statement: Statement, next: Statement | undefined, context: string, own: () => string) {
    const { line } = statement
    const { lines, length } = extent(statement, next?.source === statement.source ? next.line : Infinity)
    if (lines === 0) return
    const parts = virtual.realServers.length < many ? undefined : { own: own(), servers: partsOf(statement) }
    this.#add(statement, { virtual, line, lines, length, context, parts })
  }

  /** One that was taken as it was. */
  kept(statement: Statement, { read }: KeptService): void {
    this.#add(statement, { ...read, line: statement.line })
  }

  #add({ source: { file } }: Statement, block: ReadBlock): void {
    if (!this.blocks.has(file)) this.blocks.set(file, [])
    const blocks = this.blocks.get(file)
    const last = blocks?.[blocks.length - 1]
    if (last !== undefined && last.line >= block.line) this.blocks.set(file, undefined)
    else blocks?.push(block)
  }
}

function partsOf({ line, body = [], closing }: Statement): Int32Array {
  const servers: number[] = []
  for (const [i, each] of body.entries()) {
    if (each.field?.name !== 'real_server') continue
    const { lines, length } = each.kept ?? extent(each, (body[i + 1] ?? closing)?.line ?? 0)
    servers.push(each.line - line, lines, length)
  }
  return Int32Array.from(servers)
}

/** Lines and characters of a block that has all its lines but the first one for itself; else none. `next`: where the next begins. */
function extent({ source, line, offset, written, closing }: Statement, next: number): Extent {
  if (closing === undefined || written !== undefined || next <= closing.line) return { lines: 0, length: 0 }
  const { text } = source
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', closing.at)
  return { lines: closing.line - line + 1, length: (end < 0 ? text.length : end + 1) - start }
}

type Extent = Pick<Kept, 'lines' | 'length'>

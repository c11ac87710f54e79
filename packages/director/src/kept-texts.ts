import type { UnchangedLines } from '@ipvs-director/config'
import { stepwise } from '@ipvs-director/core'
import { isUtf8 } from 'node:buffer'
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import type { Ahead, ReadingRecord } from './reading-record.ts'

const pack = promisify(deflateRaw)
const unpack = promisify(inflateRaw)

/** The texts of a reading. */
export interface KeptTexts {
  /** Which lines of the files are as they are in these texts, by path. */
  unchangedIn(now: Ahead): Promise<ReadonlyMap<string, UnchangedLines>>
  /**
   * Makes them small: of a hundred bytes for a real server ten stay. It takes a thread some milliseconds for each megabyte; what cannot be
   * packed stays as it is.
   */
  pack(): Promise<void>
}

interface KeptText {
  readonly digest: string
  bytes: Uint8Array
  packed: boolean
}

export function keepTexts({ files }: ReadingRecord): KeptTexts {
  const kept = new Map<string, KeptText>()
  for (const [path, seen] of files) if (seen !== undefined) kept.set(path, { ...seen, packed: false })
  return {
    async unchangedIn(now) {
      const unchanged = new Map<string, UnchangedLines>()
      for (const [path, { digest, bytes }] of now) {
        const before = kept.get(path)
        if (before === undefined) continue
        if (before.digest === digest) unchanged.set(path, { to: Infinity, from: 1, shift: 0 })
        else {
          const old = before.packed ? await unpack(before.bytes) : before.bytes
          unchanged.set(path, await stepwise(unchangedLines(old, bytes)))
        }
      }
      return unchanged
    },
    async pack() {
      for (const text of kept.values()) {
        if (text.packed) continue
        const bytes = await pack(text.bytes, { level: 1 }).catch(() => undefined)
        if (bytes !== undefined) Object.assign(text, { bytes, packed: true })
      }
    },
  }
}

/** Which lines of `after` are as they were; with a rest now and then. */
export function* unchangedLines(
  before: Uint8Array,
  after: Uint8Array,
): Generator<undefined, UnchangedLines, undefined> {
  // Where one is read as UTF-8 and the other is not, the same bytes are other characters.
  if (isUtf8(before) !== isUtf8(after)) return { to: 0, from: Infinity, shift: 0 }
  const shorter = Math.min(before.length, after.length)
  const head = commonLength(shorter, (from, to) => equal(before.subarray(from, to), after.subarray(from, to)))
  const tail = commonLength(shorter - head, (from, to) =>
    equal(
      before.subarray(before.length - to, before.length - from),
      after.subarray(after.length - to, after.length - from),
    ),
  )
  const to = yield* linesIn(after.subarray(0, head))
  const inBefore = yield* linesIn(before.subarray(head, before.length - tail))
  const inAfter = yield* linesIn(after.subarray(head, after.length - tail))
  // What is left of a line that has changed is no line.
  const rest = [before, after].every((text) => beginsLine(text, text.length - tail)) ? 0 : 1
  return { to, from: to + inAfter + rest + 1, shift: inAfter - inBefore }
}

const beginsLine = (text: Uint8Array, at: number): boolean => at === 0 || text[at - 1] === 0x0a

/** How much two texts have in common, up to `limit`: looked for in ever smaller pieces. */
function commonLength(limit: number, same: (from: number, to: number) => boolean): number {
  let at = 0
  for (let step = 1 << 16; step >= 1; step >>= 4) {
    while (at < limit && same(at, Math.min(at + step, limit))) at = Math.min(at + step, limit)
  }
  return at
}

const equal = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0

/** Bytes that are looked at in one go. */
const piece = 1 << 18

/** Ends of lines in a text, with a rest after each piece of it. */
function* linesIn(text: Uint8Array): Generator<undefined, number, undefined> {
  let lines = 0
  for (let from = 0; from < text.length; from += piece) {
    const end = Math.min(from + piece, text.length)
    for (let at = from; at < end; at++) if (text[at] === 0x0a) lines++
    yield
  }
  return lines
}

import { realFiles, type ReadFile } from '@ipvs-director/config'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'

/** What a reading of the configuration has seen of the world: as long as all of it is as it was, reading again says the same. */
export interface ReadingRecord {
  /** Each file that was read; undefined: it could not be. */
  readonly files: Map<string, SeenFile | undefined>
  /** Names in each directory that was looked into. */
  readonly lists: Map<string, string>
  /** What stood at each path that was looked at. */
  readonly stats: Map<string, string>
  readonly host: string
  /** A random number was drawn: reading again says something else. */
  random: boolean
}

export interface SeenFile {
  readonly bytes: Uint8Array
  readonly digest: string
}

/** Files as read ahead, by path; those that are not among them are read when they are asked for. */
export type Ahead = ReadonlyMap<string, SeenFile>

/** The real file system, and what was seen of it. */
export function recorded(ahead: Ahead): {
  readonly read: ReadFile
  readonly random: () => number
  readonly record: ReadingRecord
} {
  const record: ReadingRecord = {
    files: new Map(),
    lists: new Map(),
    stats: new Map(),
    host: hostname(),
    random: false,
  }
  const read: ReadFile = {
    read(path) {
      record.files.set(path, undefined)
      if (isSpecial(path)) throw new Error('it is no regular file, which could be read again')
      const seen = ahead.get(path) ?? seenFile(realFiles.read(path))
      record.files.set(path, seen)
      return seen.bytes
    },
    list(directory) {
      const names = realFiles.list(directory)
      record.lists.set(directory, textOf(names))
      return names
    },
    stat(path) {
      const kind = realFiles.stat(path)
      record.stats.set(path, textOf(kind))
      return kind
    },
  }
  const random = (): number => {
    record.random = true
    return Math.random()
  }
  return { read, random, record }
}

/** What is kept of a record: the bytes of the files are not. */
export type KeptRecord = Omit<ReadingRecord, 'files'> & { readonly files: ReadonlyMap<string, string | undefined> }

export const withoutBytes = (record: ReadingRecord): KeptRecord => ({
  ...record,
  files: new Map([...record.files].map(([path, seen]) => [path, seen?.digest])),
})

/** Reads the files of a record again, and tells whether everything is as it was then. */
export async function lookAgain(record: KeptRecord): Promise<{ readonly same: boolean; readonly ahead: Ahead }> {
  const ahead = await readAhead(record.files.keys())
  let same = !record.random && record.host === hostname()
  for (const [path, before] of record.files) same &&= before === ahead.get(path)?.digest
  for (const [path, before] of record.stats) same &&= before === textOf(realFiles.stat(path))
  for (const [path, before] of record.lists) same &&= before === textOf(realFiles.list(path))
  return { same, ahead }
}

/** Reads files without keeping anybody waiting; what cannot be read is left out. */
export async function readAhead(paths: Iterable<string>): Promise<Ahead> {
  const ahead = new Map<string, SeenFile>()
  for (const path of paths) {
    const bytes = isSpecial(path) ? undefined : await readFile(path).catch(() => undefined)
    if (bytes !== undefined) ahead.set(path, seenFile(bytes))
  }
  return ahead
}

/** Pipes and devices: reading may wait for ever, and the second time there is nothing. */
const isSpecial = (path: string): boolean => realFiles.stat(path)?.kind === 'other'

const seenFile = (bytes: Uint8Array): SeenFile => ({
  bytes,
  digest: createHash('sha1').update(bytes).digest('base64url'),
})

const textOf = (seen: unknown): string => (seen === undefined ? '' : JSON.stringify(seen))

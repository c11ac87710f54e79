import { errorCode } from '@ipvs-director/core'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** How something is written down. */
export interface StateFormat<T> {
  /** Undefined for what was not written by `write`. */
  readonly read: (text: string) => T | undefined
  readonly write: (value: T) => string
}

/** Something small that outlives the process. */
export interface StateFile<T> {
  /** What was saved, if anything was, and what could not be read of it. */
  load(): { readonly value: T | undefined; readonly problem: string | undefined }
  save(value: T): void
}

/** Keeps it in a file, replaced in one step, whole even after a power cut. A damaged file is set aside, never guessed at. */
export function stateFile<T>(path: string, { read, write }: StateFormat<T>): StateFile<T> {
  return {
    load() {
      let text: string
      try {
        text = readFileSync(path, 'utf8')
      } catch (error) {
        const missing = errorCode(error) === 'ENOENT'
        return { value: undefined, problem: missing ? undefined : `cannot read ${path}: ${String(error)}` }
      }
      const value = read(text)
      if (value !== undefined) return { value, problem: undefined }
      return { value, problem: `${path} is damaged, or of another version; ${setAside(path)}` }
    },
    save(value) {
      mkdirSync(dirname(path), { recursive: true })
      // Flushed first: some file systems keep the new name before what is in the file.
      writeFileSync(`${path}.new`, write(value), { mode: 0o600, flush: true })
      renameSync(`${path}.new`, path)
    },
  }
}

/** On a file system that cannot be written it stays where it is. */
function setAside(path: string): string {
  try {
    renameSync(path, `${path}.damaged`)
    return `it is kept as ${path}.damaged`
  } catch (error) {
    return `it cannot be set aside: ${String(error)}`
  }
}

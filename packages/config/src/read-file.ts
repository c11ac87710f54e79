import { readdirSync, readFileSync, statSync } from 'node:fs'

/** What a path is. */
export interface FileKind {
  readonly kind: 'file' | 'directory' | 'other'
  /** Any execute bit is set: keepalived does not include such files. */
  readonly executable: boolean
}

/** How the configuration reaches files; paths are absolute or relative to the working directory. */
export interface ReadFile {
  /** The whole file. Throws what `node:fs` throws. */
  read(path: string): Uint8Array
  /** The names in a directory; empty when it cannot be read. */
  list(directory: string): readonly string[]
  /** What stands there, links followed; undefined when nothing does. */
  stat(path: string): FileKind | undefined
}

/** The real file system. */
export const realFiles: ReadFile = {
  read: (path) => readFileSync(path),
  list(directory) {
    try {
      return readdirSync(directory)
    } catch {
      return []
    }
  },
  stat(path) {
    let found
    try {
      found = statSync(path, { throwIfNoEntry: false })
    } catch {
      return undefined
    }
    if (found === undefined) return undefined
    const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : 'other'
    return { kind, executable: (found.mode & 0o111) !== 0 }
  },
}

/** Files from a Map of absolute paths, for tests and for texts that are in no file. */
export function filesInMemory(files: ReadonlyMap<string, string | Uint8Array>): ReadFile {
  const under = (directory: string): string => (directory.endsWith('/') ? directory : `${directory}/`)
  return {
    read(path) {
      const found = files.get(path)
      if (found === undefined)
        throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' })
      return typeof found === 'string' ? Buffer.from(found) : found
    },
    list(directory) {
      const names = [...files.keys()].filter((path) => path.startsWith(under(directory)))
      return [...new Set(names.map((path) => path.slice(under(directory).length).split('/')[0] ?? ''))]
    },
    stat(path) {
      if (files.has(path)) return { kind: 'file', executable: false }
      return [...files.keys()].some((name) => name.startsWith(under(path)))
        ? { kind: 'directory', executable: false }
        : undefined
    },
  }
}

import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Identity } from './accounts.ts'

/**
 * What is to be said about a script before it is run for the first time (keepalived's notify.c):
 * `unsafe` still runs unless `enable_script_security` is set; `missing` cannot run.
 */
export type ScriptCheck =
  | { readonly kind: 'ok'; readonly path: string; readonly remark?: string }
  | { readonly kind: 'unsafe'; readonly path: string; readonly reason: string }
  | { readonly kind: 'missing'; readonly reason: string }

/** What a path is, as stat(2) says; the part of fs.Stats that is looked at. */
export interface FileFacts {
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** The file system, as far as this is concerned. Both answer undefined for what is not there. */
export interface FileSystem {
  stat(path: string): FileFacts | undefined
  /** All symbolic links resolved. */
  real(path: string): string | undefined
}

export interface ScriptSecurityOptions {
  /** Where a name without `/` is looked for. */
  readonly searchPath?: string
  /** keepalived's use_symlink_paths: run it by the path as written. */
  readonly keepSymlinks?: boolean
  readonly files?: FileSystem
}

/** keepalived's own search path, where the environment has none. */
const defaultSearchPath = '/usr/local/bin:/bin:/usr/bin:/usr/local/sbin:/sbin:/usr/sbin'

/** Checks the command `name` as run by `who`: that it is there, may be run, and cannot be changed by others than root. */
export function checkScript(name: string, who: Identity, options: ScriptSecurityOptions = {}): ScriptCheck {
  const files = options.files ?? realFiles
  const written = name.includes('/') ? name : search(name, options.searchPath ?? defaultSearchPath, who, files)
  if (written === undefined) return { kind: 'missing', reason: `${name} was not found on the PATH` }
  const real = files.real(written)
  const facts = real === undefined ? undefined : files.stat(real)
  if (real === undefined || facts === undefined) return { kind: 'missing', reason: `${written} does not exist` }
  if (!isFile(facts)) return { kind: 'missing', reason: `${written} is not a file` }
  const locked = parents(real).find((folder) => !may(who, files.stat(folder)))
  if (locked !== undefined) return { kind: 'missing', reason: `uid ${who.uid} may not enter ${locked}` }
  if (!may(who, facts)) return { kind: 'missing', reason: `uid ${who.uid} may not execute ${written}` }
  const path = options.keepSymlinks === true ? written : real
  const open = asRoot(who, facts) ? openToOthers(real, files) : undefined
  if (open !== undefined) return { kind: 'unsafe', path, reason: open }
  return name.includes('/')
    ? { kind: 'ok', path }
    : { kind: 'ok', path, remark: `${name} is taken from the PATH; better write ${path}` }
}

/** Runs with root's rights: by its user or group, or because the file is setuid or setgid root. */
function asRoot(who: Identity, facts: FileFacts): boolean {
  if (who.uid === 0 || who.gid === 0) return true
  return ((facts.mode & 0o4000) !== 0 && facts.uid === 0) || ((facts.mode & 0o2000) !== 0 && facts.gid === 0)
}

/** The first part of the path that somebody else than root could change, as a sentence. */
function openToOthers(path: string, files: FileSystem): string | undefined {
  for (const part of [...parents(path), path]) {
    const facts = files.stat(part)
    if (facts === undefined) return `${part} cannot be looked at`
    const sticky = !isFile(facts) && (facts.mode & 0o1000) !== 0
    if (facts.uid !== 0) return `${part} is not owned by root`
    if ((facts.mode & 0o020) !== 0 && facts.gid !== 0 && !sticky) return `${part} is writable by group ${facts.gid}`
    if ((facts.mode & 0o002) !== 0 && !sticky) return `${part} is writable by everybody`
  }
  return undefined
}

/** `/`, `/usr`, `/usr/bin` for `/usr/bin/x`. */
function parents(path: string): string[] {
  const above = dirname(path)
  return above === path ? [path] : [...parents(above), above].filter((folder, i, all) => all.indexOf(folder) === i)
}

/** The execute (for a folder: enter) permission. Root needs one x bit on a file, and enters any folder. */
function may(who: Identity, facts: FileFacts | undefined): boolean {
  if (facts === undefined) return false
  if (who.uid === 0) return !isFile(facts) || (facts.mode & 0o111) !== 0
  if (facts.uid === who.uid) return (facts.mode & 0o100) !== 0
  if (facts.gid === who.gid || who.groups?.includes(facts.gid) === true) return (facts.mode & 0o010) !== 0
  return (facts.mode & 0o001) !== 0
}

const isFile = (facts: FileFacts): boolean => (facts.mode & 0o170000) === 0o100000

function search(name: string, searchPath: string, who: Identity, files: FileSystem): string | undefined {
  for (const folder of searchPath.split(':')) {
    if (!folder.startsWith('/')) continue
    const path = join(folder, name)
    const facts = files.stat(path)
    if (facts !== undefined && isFile(facts) && may(who, facts)) return path
  }
  return undefined
}

const realFiles: FileSystem = {
  stat(path) {
    try {
      return statSync(path)
    } catch {
      return undefined
    }
  },
  real(path) {
    try {
      accessSync(path, constants.F_OK)
      return realpathSync(path)
    } catch {
      return undefined
    }
  },
}

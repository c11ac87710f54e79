import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { readIfThere, root } from './root.ts'

/** Where the set-up unpacked Debian packages that it could not install; written by scripts/setup.mjs. */
interface Tools {
  /** Folders for the end of PATH. */
  readonly path: readonly string[]
  /** Folders for LD_LIBRARY_PATH. */
  readonly libraries: readonly string[]
  /** The folder that holds the modules of user-mode Linux by kernel version. */
  readonly modules?: string
  /** Variables that unpacked programs need to find their own files. */
  readonly environment?: Readonly<Record<string, string>>
}

const unpacked: Tools = JSON.parse(
  readIfThere(join(root, '.cache/tools.json')) ?? '{"path":[],"libraries":[]}',
) as Tools

/** The last is where FRR's programs are. */
const systemPath = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/lib/frr']

/** Where Debian puts the modules of user-mode Linux, or where the set-up unpacked them. */
export const umlModules: string = unpacked.modules ?? '/usr/lib/uml/modules'

/** The folders in which programs are looked for: PATH, the system's, and those that were unpacked. */
export function searchPath(): string[] {
  return [...new Set([...(process.env['PATH'] ?? '').split(delimiter), ...systemPath, ...unpacked.path])]
}

/** This process's environment with a PATH and library path on which every program of the set-up is found. */
export function toolEnvironment(): NodeJS.ProcessEnv {
  const libraries = [process.env['LD_LIBRARY_PATH'] ?? '', ...unpacked.libraries].filter((folder) => folder !== '')
  const env: NodeJS.ProcessEnv = { ...unpacked.environment, ...process.env, PATH: searchPath().join(delimiter) }
  if (libraries.length > 0) env['LD_LIBRARY_PATH'] = [...new Set(libraries)].join(delimiter)
  return env
}

/** The full path of a program, or undefined where it is not installed. */
export function findProgram(name: string): string | undefined {
  return searchPath()
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

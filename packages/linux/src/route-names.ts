import { readdirSync, readFileSync } from 'node:fs'

/** What iproute2's tables give names to. */
export type RouteNames = 'rt_tables' | 'rt_protos' | 'rt_scopes' | 'rt_realms' | 'rt_dsfield' | 'group'

/** The number that iproute2 knows by this name; a number as text is itself. Undefined where nobody knows it. */
export type RouteNumber = (kind: RouteNames, name: string) => number | undefined

/** Where the tables are: what stands in the first counts. Undefined: where distributions put them. */
export interface RouteFolders {
  /** `iproute_etc_dir` */
  readonly own?: string | undefined
  /** `iproute_usr_dir` */
  readonly shipped?: string | undefined
}

/** The part of a file system that is looked at; what is not there is empty. */
export interface RouteFiles {
  read(path: string): string
  list(folder: string): readonly string[]
}

/** Looks in `KIND` and in `KIND.d/*.conf` of each folder, at each call. */
export function routeNumbers(
  { own = '/etc/iproute2', shipped }: RouteFolders = {},
  files: RouteFiles = realFiles,
): RouteNumber {
  const folders = [own, ...(shipped === undefined ? ['/usr/share/iproute2', '/usr/lib/iproute2'] : [shipped])]
  return (kind, name) => {
    if (/^\d+$/.test(name)) return Number(name)
    if (/^0x[\da-f]+$/i.test(name)) return Number.parseInt(name, 16)
    for (const folder of folders) {
      const more = files.list(`${folder}/${kind}.d`).filter((file) => file.endsWith('.conf'))
      for (const path of [`${folder}/${kind}`, ...more.map((file) => `${folder}/${kind}.d/${file}`)]) {
        const found = numberIn(files.read(path), name)
        if (found !== undefined) return found
      }
    }
    return undefined
  }
}

function numberIn(text: string, name: string): number | undefined {
  for (const line of text.split('\n')) {
    const [number, given] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (given === name && number !== undefined) return Number(number)
  }
  return undefined
}

const realFiles: RouteFiles = {
  read: (path) => attempt(() => readFileSync(path, 'utf8')) ?? '',
  list: (folder) => attempt(() => readdirSync(folder).sort()) ?? [],
}

/** By the tables of this machine. */
export const routeNumber: RouteNumber = routeNumbers()

function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

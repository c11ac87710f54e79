import { readFileSync } from 'node:fs'

/** What iproute2's tables give names to. */
export type RouteNames = 'rt_tables' | 'rt_protos' | 'rt_scopes' | 'rt_realms' | 'rt_dsfield' | 'group'

const folders = ['/etc/iproute2', '/usr/share/iproute2', '/usr/lib/iproute2']

/** The number that iproute2 knows by this name; a number as text is itself. Undefined where nobody knows it. */
export function routeNumber(
  kind: RouteNames,
  name: string,
  read: (path: string) => string = readText,
): number | undefined {
  // prettier-ignore
  if (/^\d+$/.test(name)) return Number(name)
  if (/^0x[\da-f]+$/i.test(name)) return Number.parseInt(name, 16)
  for (const folder of folders) {
    for (const line of read(`${folder}/${kind}`).split('\n')) {
      const [number, given] = line.replace(/#.*/, '').trim().split(/\s+/)
      if (given === name && number !== undefined) return Number(number)
    }
  }
  return undefined
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

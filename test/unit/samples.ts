import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lab/root.ts'

/** The configurations that are there to be copied, by their path in the checkout. */
export const samples: readonly string[] = ['configs', 'docker'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.conf'))
    .map((name) => join(folder, name)),
)

const strict = ['N010', 'N010', 'N013']

/** Those that show what is remarked on, with the codes of the remarks in order. */
export const remarked: Readonly<Record<string, readonly string[]>> = {
  'configs/single-master/master.conf': [...strict, 'W081', 'W062', 'W061'],
  'configs/single-master/backup.conf': [...strict, 'W062', 'W061'],
}

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lab/root.ts'

/** The configurations that are there to be copied, by their path in the checkout. */
export const samples: readonly string[] = ['configs', 'docker'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.conf'))
    .map((name) => join(folder, name)),
)

/** Writes the manual pages into a folder: `man-main FOLDER`. Part of making packages. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manualPages } from './man/pages.ts'
import { version } from './version.ts'

const [folder = 'man'] = process.argv.slice(2)
mkdirSync(folder, { recursive: true })
for (const [name, text] of await manualPages(version)) writeFileSync(join(folder, name), text)

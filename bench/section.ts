import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { root } from '../test/lab/root.ts'

/** Puts a section, which begins with its title, in the place of the one before, or at the end. */
export function replaceSection(path: string, text: string): void {
  const [title = ''] = text.split('\n')
  const page = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const at = page.indexOf(`${title}\n`)
  const before = at < 0 ? page : page.slice(0, at)
  const next = at < 0 ? -1 : page.indexOf('\n## ', at + title.length)
  const after = next < 0 ? '' : page.slice(next)
  writeFileSync(path, `${before.trimEnd()}\n\n${text}${after}`)
  spawnSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', path], { cwd: root })
}

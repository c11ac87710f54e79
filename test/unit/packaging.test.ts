import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { readCommandLine } from '../../packages/director/src/options.ts'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('../../packaging/', import.meta.url))
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')
const unit = read('ipvs-director.service')
const values = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value)

const analyze = await run('systemd-analyze', ['--version']).then(
  () => true,
  () => false,
)

test.for(['ipvs-director.service', 'keepalived-environment.conf'])('%s starts us as we understand it', (name) => {
  const [command = ''] = values(read(name), 'ExecStart').filter((value) => value !== '')
  const [program, ...words] = command.split(' ')
  expect(program).toBe('/usr/sbin/ipvs-director')
  expect(readCommandLine(words.filter((word) => !word.startsWith('$')))).toMatchObject({ remarks: [] })
})

test('what a scripts drop-in loosens is what the unit tightens', () => {
  for (const [, name = ''] of read('scripts.conf').matchAll(/^(\w+)=/gm)) expect(values(unit, name)).not.toEqual([])
})

test.skipIf(!analyze)('systemd understands the unit (skipped where there is no systemd-analyze)', async () => {
  const place = mkdtempSync(join(tmpdir(), 'unit-'))
  try {
    const file = join(place, 'ipvs-director.service')
    writeFileSync(file, unit.replace(/^(Exec\w+)=\S+/gm, '$1=/bin/true'))
    const { stderr } = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', file])
    expect(stderr.split('\n').filter((line) => line.includes('ipvs-director.service'))).toEqual([])
    const { stdout } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', file])
    const exposure = /exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]
    // 4.2 by systemd 252; 9.6 is a service without any of it.
    expect(Number(exposure)).toBeLessThan(5)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
})

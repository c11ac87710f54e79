import { execFileSync } from 'node:child_process'
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { guestInit, quote } from '../../lab/guest-init.ts'

const job = { command: ['true'], cwd: '/', env: {}, modules: '/m', statusFile: '/s', terminal: undefined }

test.prop([fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))], { numRuns: 30 })(
  'a quoted word reaches the command as it is',
  (word) => {
    expect(execFileSync('sh', ['-c', `printf %s ${quote(word)}`], { encoding: 'utf8' })).toBe(
      Buffer.from(word).toString(),
    )
  },
)

test('the script is one that a shell can read', () => {
  for (const terminal of [undefined, { rows: 24, columns: 80 }]) {
    const script = guestInit({ ...job, command: ['echo', "it's"], env: { A: '1 2', 'B%%': 'x' }, terminal })
    execFileSync('sh', ['-n'], { input: script })
    expect(script).toContain("export A='1 2'")
  }
})

test('what belongs to the host’s process stays there', () => {
  const script = guestInit({ ...job, env: { TMPDIR: '/somewhere', 'BASH_FUNC_x%%': '() { :; }', HOME: '/root' } })
  expect(script).not.toContain('/somewhere')
  expect(script).not.toContain('BASH_FUNC')
  expect(script).toContain('export HOME=/root')
})

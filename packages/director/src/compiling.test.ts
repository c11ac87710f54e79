import { execFileSync } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { expect, test, vi } from 'vitest'
import { compileLittle } from './compiling.ts'

vi.mock('node:v8', () => ({ setFlagsFromString: vi.fn() }))

test('this V8 knows what it is told: it would complain on standard error', () => {
  compileLittle()
  const told = vi.mocked(setFlagsFromString).mock.calls.map(([flag]) => flag.replace(/=.*/, ''))
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
  expect(told).toContain('--max-inlined-bytecode-size-cumulative')
  for (const flag of told) expect(known).toContain(` ${flag} (`)
})

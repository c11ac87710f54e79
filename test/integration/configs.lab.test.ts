/** Every sample is also what Debian's keepalived understands: its config test says nothing about them. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { finish, LabProcess, root } from '../lab/index.ts'
import { samples } from '../unit/samples.ts'

// keepalived 2.2.7 -t ends with SIGTERM to its own process group where the file has scripts
const ends = [0, 143]

test.for(samples)('keepalived -t has no remark on %s', async (name) => {
  const { code, stdout, stderr } = await finish(new LabProcess(['keepalived', '-t', '-f', join(root, name)]), {})
  expect(stdout + stderr).toBe('')
  expect(ends).toContain(code)
})

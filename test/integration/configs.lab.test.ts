/** Every sample in configs/ is also what Debian's keepalived understands: its config test says nothing about them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { finish, LabProcess, root } from '../lab/index.ts'

const samples = readdirSync(join(root, 'configs'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

test.for(samples)('keepalived -t has no remark on configs/%s/keepalived.conf', async (name) => {
  const file = join(root, 'configs', name, 'keepalived.conf')
  const { code, stdout, stderr } = await finish(new LabProcess(['keepalived', '-t', '-f', file]), {})
  expect({ code, said: stdout + stderr }).toEqual({ code: 0, said: '' })
})

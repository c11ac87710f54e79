import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { fingerprint } from './fingerprint.ts'
import { loadFile } from './load.ts'

const folder = fileURLToPath(new URL('../../config/src/cases', import.meta.url))

test('virtual servers are plain data, and equal ones have equal fingerprints', { timeout: 120_000 }, async () => {
  let seen = 0
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.conf'))) {
    const [first, second] = [await loadFile(join(folder, name)), await loadFile(join(folder, name))]
    for (const [i, virtual] of (first.config?.virtualServers ?? []).entries()) {
      expect(JSON.parse(JSON.stringify(virtual))).toEqual(virtual)
      const again = second.config?.virtualServers[i]
      expect(again && fingerprint(again)).toBe(fingerprint(virtual))
      expect(fingerprint({ ...virtual, quorum: virtual.quorum + 1 })).not.toBe(fingerprint(virtual))
      seen++
    }
  }
  expect(seen).toBeGreaterThan(20)
})

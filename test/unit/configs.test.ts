/** Every sample in configs/ is understood without a remark. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { loadConfig, renderDiagnostic } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import { root } from '../lab/root.ts'

const samples = readdirSync(join(root, 'configs'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)

test('there are samples', () => {
  expect(samples).toContain('dr')
})

test.for(samples)('configs/%s/keepalived.conf loads without a remark', async (name) => {
  const { config, diagnostics } = await loadConfig(join(root, 'configs', name, 'keepalived.conf'), { checkers })
  expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic))).toEqual([])
  expect(config?.virtualServers.length).toBeGreaterThan(0)
})

/** Every sample is understood without a remark. */
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { loadConfig, renderDiagnostic } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import { root } from '../lab/root.ts'
import { samples } from './samples.ts'

test('there are samples', () => {
  expect(samples).toContain('configs/dr/keepalived.conf')
  expect(samples).toContain('docker/director1.conf')
})

test.for(samples)('%s loads without a remark', async (name) => {
  const { config, diagnostics } = await loadConfig(join(root, name), { checkers })
  expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic))).toEqual([])
  expect(config?.virtualServers.length).toBeGreaterThan(0)
})

/** Every sample is understood; all but a few without a remark. */
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { loadConfig, renderDiagnostic } from '@ipvs-director/config'
import { expect, test } from 'vitest'
import { root } from '../lab/root.ts'
import { remarked, samples } from './samples.ts'

test('there are samples', () => {
  expect(samples).toContain('configs/dr/keepalived.conf')
  expect(samples).toContain('docker/director1.conf')
})

test.for(samples.filter((name) => remarked[name] === undefined))('%s loads without a remark', async (name) => {
  const { config, diagnostics } = await loadConfig(join(root, name), { checkers })
  expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic))).toEqual([])
  expect((config?.virtualServers.length ?? 0) + (config?.vrrp.instances.length ?? 0)).toBeGreaterThan(0)
})

test.for(Object.entries(remarked))('%s shows what is remarked on', async ([name, { ours }]) => {
  const { diagnostics } = await loadConfig(join(root, name), { checkers })
  expect(diagnostics.map(({ code }) => code)).toEqual(ours)
})

/** What does not change is not sent between threads, and stays the object it was. */
import type { VirtualServer } from '@ipvs-director/config'
import { build } from 'esbuild'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadAside } from './load-aside.ts'
import { loadFile } from './load.ts'

/** In the checkout, so that the bundle finds the packages it leaves outside. */
const folder = mkdtempSync(fileURLToPath(new URL('../.load-aside-', import.meta.url)))
const [file, worker] = [join(folder, 'x.conf'), join(folder, 'load-worker.mjs')]

beforeAll(async () => {
  await build({
    entryPoints: [fileURLToPath(new URL('load-worker.ts', import.meta.url))],
    outfile: worker,
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['source'],
    external: ['ajv', 'ajv/*', 'nodemailer', 'winston'],
    logLevel: 'error',
  })
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const write = (weights: readonly number[]): void => {
  const blocks = weights.map(
    (weight, i) => `virtual_server 192.0.2.${i + 1} 80 {
    protocol TCP
    real_server 10.0.0.1 80 {
        weight ${weight}
        TCP_CHECK {
        }
    }
}
`,
  )
  writeFileSync(file, blocks.join(''))
}

const weightsOf = (servers: readonly VirtualServer[]): unknown[] =>
  servers.map(({ realServers }) => realServers[0]?.weight)

test('equal virtual servers are the known ones, others are new, in the order of the file', async () => {
  write([1, 2, 3])
  const first = (await loadFile(file)).config?.virtualServers ?? []
  const same = (await loadAside(worker, file, {}, first)).config?.virtualServers ?? []
  expect(same.map((each, i) => each === first[i])).toEqual([true, true, true])
  write([1, 5, 3, 4])
  const next = (await loadAside(worker, file, {}, same)).config?.virtualServers ?? []
  expect(weightsOf(next)).toEqual([1, 5, 3, 4])
  expect(next.map((each, i) => each === first[i])).toEqual([true, false, true, false])
  const again = (await loadAside(worker, file, {}, next)).config?.virtualServers ?? []
  expect(again.map((each, i) => each === next[i])).toEqual([true, true, true, true])
})

test('a file that cannot be used says why', async () => {
  writeFileSync(file, 'virtual_server 192.0.2.1 80 {\n wieght 1\n}\n')
  expect((await loadAside(worker, file, {}, [])).errors).toBe(1)
  const missing = await loadAside(worker, join(folder, 'none.conf'), {}, [])
  expect(missing.config).toBeUndefined()
})

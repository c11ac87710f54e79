import { build } from 'esbuild'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The prober's main as JavaScript, which a child process can run; made where the addon is found from. */
export async function bundleProber(): Promise<{ readonly entry: string; remove(): void }> {
  const source = join(dirname(fileURLToPath(import.meta.url)), '../prober-main.ts')
  const parent = join(dirname(source), '../build')
  mkdirSync(parent, { recursive: true })
  const folder = mkdtempSync(join(parent, 'test-'))
  const entry = join(folder, 'prober.mjs')
  await build({
    entryPoints: [source],
    outfile: entry,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['source'],
    logLevel: 'silent',
    banner: {
      js: `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`,
    },
  })
  return {
    entry,
    remove: () => {
      rmSync(folder, { recursive: true })
    },
  }
}

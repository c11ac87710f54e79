/**
 * Builds what runs: the native addon, then the programs as bundles in build/.
 *
 * Usage: node scripts/build.mjs [--quiet] [NAME …]      (a NAME is a bundle; without one all are built)
 *
 * Modules that a program imports lazily become files of their own in build/chunks, so that starting reads little.
 * An entry whose source is not there yet is left out.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { performance } from 'node:perf_hooks'
import { bundleDirector, writeCodeCache } from './bundle/director.mjs'
import { readTools } from './setup/tools.mjs'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const output = join(root, 'build')

/** What a bundle is called, and the source it starts from. */
const entries = {
  'ipvs-director': 'packages/director/src/bin/ipvs-director.ts',
  'ipvs-ctl': 'packages/director/src/bin/ipvs-ctl.ts',
  prober: 'packages/checkers/src/prober-main.ts',
  vrrp: 'packages/director/src/vrrp-main.ts',
  'load-worker': 'packages/director/src/load-worker.ts',
  lab: 'test/lab/main.ts',
  demo: 'test/lab/demo.ts',
  test: 'test/run.ts',
  bench: 'bench/main.ts',
  soak: 'test/soak/main.ts',
}
const commands = ['ipvs-director', 'ipvs-ctl']

/** CommonJS dependencies inside an ES module ask for Node's own modules by `require`. */
const banner = `import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);`

const words = process.argv.slice(2)
const quiet = words.includes('--quiet')
const wanted = words.filter((word) => !word.startsWith('-'))
const say = (/** @type {string} */ text) => {
  if (!quiet) console.log(text)
}

await main()

async function main() {
  const began = performance.now()
  buildAddon()
  // esbuild has printed what was wrong
  const built = await bundle().catch(() => process.exit(1))
  say(`build: ${built.join(', ')} in ${Math.round(performance.now() - began)} ms`)
}

/** The addon's own script knows whether its source changed; it needs a C compiler only then. */
function buildAddon() {
  const script = join(root, 'packages/linux/native/build.mjs')
  if (!existsSync(script)) return
  const { status } = spawnSync(process.execPath, [script], {
    env: { ...readTools().compiler, ...process.env },
    stdio: quiet ? ['ignore', 'ignore', 'inherit'] : 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

async function bundle() {
  const { build } = await import('esbuild')
  const present = Object.entries(entries).filter(
    ([name, source]) => (wanted.length === 0 || wanted.includes(name)) && existsSync(join(root, source)),
  )
  if (present.length === 0) return []
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: present.map(([name, source]) => ({ out: name, in: source })),
    outdir: output,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['source'],
    sourcemap: 'linked',
    banner: { js: banner },
    logLevel: 'warning',
    metafile: true,
  })
  const names = present.map(([name]) => name)
  const director = names.includes('ipvs-director') ? await bundleDirector({ root, output }) : []
  for (const name of names) if (commands.includes(name)) chmodSync(join(output, `${name}.js`), 0o755)
  removeOldChunks(new Set([...Object.keys(metafile.outputs).map((path) => join(root, path)), ...director]))
  if (director.length > 0) writeCodeCache(output)
  return names
}

/** Chunks carry their content's hash in their name. Younger ones stay: a program that is running may still import them. */
function removeOldChunks(/** @type {Set<string>} */ current) {
  const folder = join(output, 'chunks')
  if (!existsSync(folder)) return
  const hourAgo = Date.now() - 3_600_000
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (!current.has(path) && statSync(path).mtimeMs < hourAgo) rmSync(path, { force: true })
  }
}

/**
 * The director as one script and a cache of its compiled code. An ES module would be parsed at every start: Node.js 20 has no
 * cache for modules, and starting is what a director does when clients wait for it.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const warmUp = fileURLToPath(new URL('./warm-up.mjs', import.meta.url))

/**
 * Makes ipvs-director.cjs in a folder, and libraries that it loads when it needs them in the folder's chunks. Returns the paths.
 * @param {{ root: string, output: string }} places @returns {Promise<string[]>}
 */
export async function bundleDirector({ root, output }) {
  const { build } = await import('esbuild')
  /** @type {Map<string, string>} */
  const libraries = new Map()
  /** @type {import('esbuild').BuildOptions} */
  const options = {
    absWorkingDir: root,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    conditions: ['source'],
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  }
  const file = join(output, 'ipvs-director.cjs')
  await build({
    ...options,
    entryPoints: ['packages/director/src/director-main.ts'],
    outfile: file,
    define: { 'import.meta.url': '__moduleUrl' },
    banner: { js: `(function (exports, require, __filename) {\nvar module = { exports }, __moduleUrl = require('node:url').pathToFileURL(__filename).href;` },
    footer: { js: `Object.assign(exports, module.exports);\n})` },
    plugins: [apart(libraries)],
  }) // prettier-ignore
  writeFileSync(file, inAscii(readFileSync(file, 'utf8')))
  const chunks = join(output, 'chunks')
  await build({
    ...options,
    entryPoints: [...libraries].map(([out, name]) => ({ out, in: name })),
    outdir: chunks,
    outExtension: { '.js': '.cjs' },
  })
  return [file, ...[...libraries.keys()].map((name) => join(chunks, `${name}.cjs`))]
}

/** Libraries of others are files of their own, read when they are asked for. */
function apart(/** @type {Map<string, string>} */ libraries) {
  return {
    name: 'apart',
    setup(/** @type {import('esbuild').PluginBuild} */ build) {
      build.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind === 'entry-point' || pluginData === apart || isBuiltin(path) || ours.test(path)) return undefined
        const name = `library-${path.replaceAll(/\W+/g, '-')}`
        const found = await build.resolve(path, { kind, resolveDir, pluginData: apart })
        libraries.set(name, found.path)
        return { path: `./chunks/${name}.cjs`, external: true }
      })
    },
  }
}

const ours = /^(@ipvs-director\/|ipvs-)/

/** One byte a character: V8 takes two for all of a script that has a single one beyond. */
const inAscii = (/** @type {string} */ text) =>
  text.replaceAll(/[^\x00-\x7f]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)

/**
 * Writes the cache beside the script: what a start compiles. Says why where it cannot; the director starts without, too.
 * @param {string} folder
 */
export function writeCodeCache(folder) {
  const { status, stderr } = spawnSync(process.execPath, [warmUp, folder], { encoding: 'utf8', timeout: 60_000 })
  if (status !== 0)
    console.warn(`build: no code cache, the director starts slower: ${stderr.trim().split('\n').at(-1)}`)
}

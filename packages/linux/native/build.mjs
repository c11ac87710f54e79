#!/usr/bin/env node
/**
 * Compiles the addon with any C compiler: no node-gyp, no headers beside the npm package node-api-headers.
 *
 *   node packages/linux/native/build.mjs [--force]
 *
 * CC names the compiler (it may have arguments: `CC="gcc --sysroot=/x"`), CFLAGS adds flags. Without CC the first of
 * cc, gcc, clang and tcc on the PATH is taken.
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const source = join(here, 'addon.c')

/** Where the result goes: one file per processor architecture. */
export const target = resolve(here, `../build/linux-${process.arch}.node`)

/**
 * Builds the addon where it is missing or older than its source.
 * @param {{ force?: boolean, log?: (line: string) => void, env?: NodeJS.ProcessEnv }} [options]
 * @returns {'built' | 'current' | 'no compiler'} what was done; throws an Error with the compiler's words when it fails
 */
export function build({ force = false, log = console.log, env = process.env } = {}) {
  if (process.platform !== 'linux') throw new Error(`the addon is for Linux, this is ${process.platform}`)
  if (!force && isCurrent()) return 'current'
  const compiler = findCompiler(env)
  if (compiler === undefined) {
    log(
      `warning: no C compiler found, so the native addon ${existsSync(target) ? 'is not up to date' : 'is missing'}: ` +
        'kernel sockets do not work without it. Install one (Debian: apt-get install gcc libc6-dev) or name it in CC.',
    )
    return 'no compiler'
  }
  const started = performance.now()
  compile(compiler, env)
  log(`native addon: built by ${compiler.join(' ')} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return 'built'
}

function isCurrent() {
  if (!existsSync(target)) return false
  const built = statSync(target).mtimeMs
  return readdirSync(here).every((name) => !/\.[ch]$/.test(name) || built >= statSync(join(here, name)).mtimeMs)
}

/** @returns {string[] | undefined} the compiler and its own arguments */
function findCompiler(env) {
  const named = words(env.CC)
  if (named.length > 0) return named
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const found = ['cc', 'gcc', 'clang', 'tcc'].find((name) => folders.some((folder) => isExecutable(join(folder, name))))
  return found === undefined ? undefined : [found]
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Into a file beside the target first: a process that runs with the old one keeps it. */
function compile([command, ...own], env) {
  mkdirSync(dirname(target), { recursive: true })
  const fresh = `${target}.${process.pid}.tmp`
  const include = createRequire(import.meta.url)('node-api-headers').include_dir
  const flags = ['-O2', '-Wall', '-shared', '-fPIC', '-DNAPI_VERSION=8', '-I', include, ...words(env.CFLAGS)]
  const result = spawnSync(command, [...own, ...flags, '-o', fresh, source], { encoding: 'utf8', env })
  if (result.status !== 0) {
    rmSync(fresh, { force: true })
    throw new Error(`${command} could not build the native addon: ${result.error?.message ?? result.stderr}`)
  }
  if (result.stderr !== '') process.stderr.write(result.stderr)
  renameSync(fresh, target)
}

const words = (text) => (text ?? '').split(/\s+/).filter((word) => word !== '')

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    build({ force: process.argv.includes('--force') })
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

type Wrapped = (exports: object, require: NodeJS.Require, filename: string) => void

/**
 * Runs a program that scripts/bundle/director.mjs has made, and answers what it exports. Its functions come compiled from the
 * cache beside it, where that was made by this Node.js with these options; else V8 takes no notice of it, and compiles each when it
 * is called. Of a start with ten thousand real servers the compiling is a tenth.
 */
export function loadScript(url: URL): unknown {
  const filename = fileURLToPath(url)
  const cachedData = readCache(`${filename}.cache`)
  const script = new Script(readFileSync(filename, 'latin1'), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
  const exports = {}
  ;(script.runInThisContext() as Wrapped)(exports, createRequire(url), filename)
  return exports
}

function readCache(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch {
    return undefined
  }
}

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

type Wrapped = (exports: object, require: NodeJS.Require, filename: string) => void

/**
 * Runs a program that scripts/bundle/director.mjs has made, and answers what it exports. Its functions come compiled from the
 * cache beside it, where that was made of this script by this Node.js with these options; else each is compiled when it is called.
 * Of a start with ten thousand real servers the compiling is a tenth.
 */
export function loadScript(url: URL): unknown {
  const filename = fileURLToPath(url)
  const source = readFileSync(filename)
  const cachedData = readCache(`${filename}.cache`, source)
  const script = new Script(source.toString('latin1'), {
    filename,
    ...(cachedData === undefined ? {} : { cachedData }),
  })
  const exports = {}
  ;(script.runInThisContext() as Wrapped)(exports, createRequire(url), filename)
  return exports
}

/**
 * SHA-256 of the script, then what V8 has written. V8 itself knows a script again by its length alone: it would run the code of
 * another one.
 */
function readCache(file: string, source: Uint8Array): Buffer | undefined {
  try {
    const cache = readFileSync(file)
    const digest = createHash('sha256').update(source).digest()
    return cache.subarray(0, digest.length).equals(digest) ? cache.subarray(digest.length) : undefined
  } catch {
    return undefined
  }
}

import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'

/** Where Debian packages are unpacked that cannot be installed. */
export const unpacked = join(root, '.cache/debian')

const file = join(root, '.cache/tools.json')

/**
 * Where to find what was unpacked; test/lab/tools.ts and scripts/build.mjs read it too.
 * `environment` holds variables that unpacked programs need to find their own files.
 * @typedef {{
 *   path: string[], libraries: string[], modules?: string, compiler?: { CC: string, CFLAGS: string },
 *   environment?: Record<string, string>
 * }} Tools
 */

/** @returns {Tools} */
export function readTools() {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { path: [], libraries: [] }
}

/** Looks at what lies in the folder of unpacked packages and writes where everything is. */
export function writeTools() {
  const usr = join(unpacked, 'usr')
  const present = (/** @type {string[]} */ folders) => folders.filter((folder) => existsSync(folder))
  const libraryFolders = [join(usr, 'lib'), join(unpacked, 'lib')].flatMap((lib) => [lib, ...triplets(lib)])
  const modules = join(usr, 'lib/uml/modules')
  const compiler = smallCompiler(usr)
  const openssl = join(usr, 'lib/ssl/openssl.cnf')
  /** @type {Tools} */
  const tools = {
    path: present(['usr/sbin', 'usr/bin', 'sbin', 'bin', 'usr/lib/frr'].map((folder) => join(unpacked, folder))),
    libraries: present(libraryFolders),
    ...(existsSync(modules) ? { modules } : {}),
    ...(compiler === undefined ? {} : { compiler }),
    ...(existsSync(openssl) ? { environment: { OPENSSL_CONF: openssl } } : {}),
  }
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(file, JSON.stringify(tools, undefined, 2) + '\n')
}

/** Folders such as lib/x86_64-linux-gnu. */
function triplets(/** @type {string} */ lib) {
  if (!existsSync(lib)) return []
  return readdirSync(lib)
    .filter((name) => /^\w+-linux-gnu\w*$/.test(name))
    .map((name) => join(lib, name))
}

/** tcc looks for its own files and the headers where it would be installed, so it is told; the addon needs no library. */
function smallCompiler(/** @type {string} */ usr) {
  const tcc = join(usr, 'bin/tcc')
  const [lib] = triplets(join(usr, 'lib')).filter((folder) => existsSync(join(folder, 'tcc')))
  if (!existsSync(tcc) || lib === undefined) return undefined
  const triplet = lib.slice(lib.lastIndexOf('/') + 1)
  const include = [join(lib, 'tcc/include'), join(usr, 'include'), join(usr, 'include', triplet)]
  const flags = ['-nostdlib', '-nostdinc', ...include.map((folder) => `-I${folder}`)]
  return { CC: `${tcc} -B${join(lib, 'tcc')}`, CFLAGS: flags.join(' ') }
}

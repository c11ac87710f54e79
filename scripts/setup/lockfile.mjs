import { statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './root.mjs'

/** Whether npm installed into node_modules after package-lock.json was last written. */
export function isUpToDate() {
  const installed = modified(join(root, 'node_modules/.package-lock.json'))
  return installed !== undefined && installed >= (modified(join(root, 'package-lock.json')) ?? 0)
}

const modified = (/** @type {string} */ path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs

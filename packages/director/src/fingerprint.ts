import type { VirtualServer } from '@ipvs-director/config'
import { createHash } from 'node:crypto'

const taken = new WeakMap<VirtualServer, string>()

/**
 * Equal for virtual servers that mean the same and stand at the same place of the same file. They are plain data, so JSON
 * tells them apart.
 */
export function fingerprint(virtual: VirtualServer): string {
  let print = taken.get(virtual)
  if (print === undefined) {
    print = createHash('sha1').update(JSON.stringify(virtual)).digest('base64url')
    taken.set(virtual, print)
  }
  return print
}

/** For one that was made elsewhere, where its fingerprint was taken. */
export function setFingerprint(virtual: VirtualServer, print: string): void {
  taken.set(virtual, print)
}

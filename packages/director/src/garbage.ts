import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * V8 lets the part of its heap where everything new begins grow to 48 MiB where much is made and thrown away, and never makes
 * it smaller again: more than all there is to know of ten thousand real servers. It stays as small as it begins. To be called
 * before anything else is done; it counts for threads, too.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Collects garbage now. What reading the file has left behind would stay for as long as little new is made, which may be
 * hours. It takes some milliseconds for each ten thousand real servers: for when nobody waits.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc()')
  setFlagsFromString('--no-expose-gc')
}

import { setFlagsFromString } from 'node:v8'

/**
 * V8 lets the part of its heap where everything new begins grow to 48 MiB where much is made and thrown away, and never makes
 * it smaller again: more than all there is to know of ten thousand real servers. It stays as small as it begins. To be called
 * before anything else is done; it counts for threads, too.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

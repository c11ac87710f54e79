import { addonAvailable, mallocTrim, mallopt } from './native.ts'

/** malloc.h */
const M_TRIM_THRESHOLD = -1
const M_ARENA_MAX = -8

/** Freed memory at the end of an arena that goes back to the kernel at once. Left alone glibc makes this larger and larger. */
const atTheEnd = 512 * 1024
/** What is free in between goes back so often, in milliseconds. */
const trimEvery = 30_000

/**
 * Keeps what glibc holds on to small. It gives each thread memory of its own to take from, and keeps most of what is freed:
 * V8's threads, which compile and collect for moments, would leave ten MiB behind. Trimming takes half a millisecond for each MiB
 * that it gives back, else next to nothing. To be called early; without the addon it does nothing.
 */
export function keepMallocSmall(): void {
  if (!addonAvailable()) return
  mallopt(M_ARENA_MAX, 1)
  mallopt(M_TRIM_THRESHOLD, atTheEnd)
  setInterval(mallocTrim, trimEvery).unref()
}

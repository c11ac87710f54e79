import { getSystemErrorName } from 'node:util'
import type { SystemError } from './native.ts'

/** As in addon.c: how many entries a call has at most, the numbers of one (token, what, offset, length or errno), and room for data. */
export const eventsAtOnce = 64
export const entryNumbers = 4
export const chunkBytes = 16 * 1024
/** What an entry says. */
export const is = { writable: 1, data: 2, ended: 4, failed: 8 } as const

/** What the kernel answered by its number, as Node says it. */
export function systemError(errno: number, syscall: string): SystemError {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`connection ${code}`), { code, errno: -errno, syscall })
}

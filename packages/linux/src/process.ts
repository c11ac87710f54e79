/** How much this process is preferred to others: keepalived's `vrrp_priority`, `vrrp_rt_priority` and `vrrp_no_swap`. */
import { readFileSync } from 'node:fs'
import { setPriority } from 'node:os'
import { mlock, schedSetscheduler } from './native.ts'

const SCHED_RR = 2
const SCHED_RESET_ON_FORK = 0x4000_0000

/**
 * Runs the main thread before all that have no real-time priority: 1..99, SCHED_RR. Children start without it. Throws a
 * system error: EPERM without CAP_SYS_NICE, EINVAL out of range.
 */
export function useRealTimePriority(priority: number): void {
  schedSetscheduler(process.pid, SCHED_RR | SCHED_RESET_ON_FORK, priority)
}

/** Niceness, -20 (first) to 19; children inherit it. Throws a system error. */
export function useNiceness(niceness: number): void {
  setPriority(process.pid, niceness)
}

/**
 * Keeps the program's text and libraries in memory, once touched: under pressure they go first, swap or no swap, and come
 * back from the disk. V8's own memory cannot be locked (see `mlock`); `MemorySwapMax=0` in the unit keeps that from swap.
 * Resolves to the bytes that may be locked. Throws a system error: EPERM or ENOMEM without CAP_IPC_LOCK.
 */
export function lockText(): number {
  const ranges = textRanges(readFileSync('/proc/self/maps', 'latin1'))
  for (const { start, length } of ranges) mlock(start, length)
  return ranges.reduce((sum, { length }) => sum + Number(length), 0)
}

interface Range {
  readonly start: bigint
  readonly length: bigint
}

/** The mappings of files that are read or executed but not written: `start-end r-xp offset device inode path`. */
export function textRanges(maps: string): Range[] {
  return maps.split('\n').flatMap((line): Range[] => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) r-.p [0-9a-f]+ \S+ [1-9]\d* +\//.exec(line)
    if (match === null) return []
    const start = BigInt(`0x${match[1]}`)
    return [{ start, length: BigInt(`0x${match[2]}`) - start }]
  })
}

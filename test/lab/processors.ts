import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** The processors that this process may run on. */
export function allowedProcessors(): number[] {
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  return parseProcessors(list)
}

/** `0-2,5`: cpuset(7), "List format". */
export function parseProcessors(list: string): number[] {
  return [...list.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, from, to = from]) =>
    Array.from({ length: Number(to) - Number(from) + 1 }, (_, n) => Number(from) + n),
  )
}

/** Of these the one with the least to do over the next tenth of a second. */
export async function idlestProcessor(processors: readonly number[]): Promise<number | undefined> {
  const before = idleTimes()
  await sleep(100)
  const after = idleTimes()
  const idle = (processor: number): number => (after.get(processor) ?? 0) - (before.get(processor) ?? 0)
  return [...processors].sort((a, b) => idle(b) - idle(a))[0]
}

/** Ticks with nothing to do since the machine was started, by processor. */
function idleTimes(): Map<number, number> {
  const lines = readFileSync('/proc/stat', 'utf8').matchAll(/^cpu(\d+) (.+)$/gm)
  return new Map(
    [...lines].map(([, processor, times = '']) => [Number(processor), Number(times.trim().split(/\s+/)[3])]),
  )
}

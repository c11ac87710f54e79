import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'
import type { MetricFamily } from './metric-families.ts'

/** What this process itself is asked, at the moment of the answer. */
function ofProcess(
  name: string,
  type: MetricFamily['type'],
  help: string,
  value: () => number | undefined,
  unit?: string,
): MetricFamily {
  return {
    name: `ipvs_director_process_${name}`,
    type,
    help,
    ...(unit === undefined ? {} : { unit }),
    *samples() {
      const found = value()
      if (found !== undefined) yield { labels: '', value: found }
    },
  }
}

const nanoseconds = 1e9

/** Begins with the first question, so that it costs nothing where nobody asks; since then it is what was since the last. */
let delays: IntervalHistogram | undefined
/** The sampling period is part of what the histogram measures (milliseconds). */
const resolution = 20

function lag(read: (histogram: IntervalHistogram) => number): number | undefined {
  if (delays === undefined) {
    delays = monitorEventLoopDelay({ resolution })
    delays.enable()
    return undefined
  }
  return delays.count === 0 ? 0 : Math.max(0, read(delays) / nanoseconds - resolution / 1000)
}

function openDescriptors(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length
  } catch {
    return undefined
  }
}

/** The director's own process. */
export const processFamilies: readonly MetricFamily[] = [
  ofProcess('cpu_seconds', 'counter', 'Processor time used.', () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6 }, 'seconds'), // prettier-ignore
  ofProcess('resident_memory_bytes', 'gauge', 'Memory in use.', () => process.memoryUsage.rss(), 'bytes'),
  ofProcess('heap_bytes', 'gauge', 'JavaScript objects in use.', () => process.memoryUsage().heapUsed, 'bytes'),
  ofProcess('open_descriptors', 'gauge', 'Files and sockets open.', openDescriptors),
  ofProcess('loop_lag_seconds', 'gauge', 'How late the event loop was on average since the last question.', () => lag(({ mean }) => mean), 'seconds'), // prettier-ignore
  ofProcess('worst_loop_lag_seconds', 'gauge', 'How late the event loop was at worst since the last question.', () => {
    const worst = lag(({ max }) => max)
    delays?.reset()
    return worst
  }, 'seconds'), // prettier-ignore
]

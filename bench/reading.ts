import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { loadConfig } from '@ipvs-director/config'
import { formatDuration, millis, type Millis } from '@ipvs-director/core'
import { root } from '../test/lab/root.ts'
import { mediansOf } from './measure.ts'
import { replaceSection } from './section.ts'
import { configOf } from './shapes.ts'

const sizes = [1000, 10_000, 100_000]
const rounds = 5
const director = join(root, 'build/ipvs-director.js')

interface Figures {
  readonly servers: number
  readonly keywords: number
  readonly keepalived: Millis
  /** `ipvs-director -t`, with Node's start. */
  readonly ours: Millis
  /** `node -e 0`. */
  readonly start: Millis
  readonly heap: Heap
}

interface Heap {
  /** Reading alone, in a process that is warm only by having started. */
  readonly load: number
  /** Heap that the configuration keeps, bytes. */
  readonly kept: number
}

/**
 * `npm run bench -- reading`: reading, checking and expanding configurations beside `keepalived -t`, on this machine's own
 * kernel. Writes its part of docs/benchmarks.md.
 */
export async function reading(words: readonly string[], self: readonly string[]): Promise<number> {
  const [first, file] = words
  if (first === '--load' && file !== undefined) {
    console.log(JSON.stringify(await load(file)))
    return 0
  }
  if (spawnSync('keepalived', ['--version'], { stdio: 'ignore' }).error !== undefined) {
    console.error('keepalived is not installed: there is nothing to compare with')
    return 3
  }
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  try {
    const all: Figures[] = []
    for (const servers of sizes) {
      console.log(`bench: ${servers.toLocaleString('en')} real servers`)
      all.push(await figures(servers, folder, self))
    }
    const text = section(all)
    console.log(`\n${text}`)
    replaceSection(join(root, 'docs/benchmarks.md'), text)
    return 0
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function figures(servers: number, folder: string, self: readonly string[]): Promise<Figures> {
  const file = join(folder, `${servers}.conf`)
  const text = configOf({ services: servers / 100, destinations: 100 })
  writeFileSync(file, text)
  const keywords = (text.match(/^ *[a-zA-Z]/gm) ?? []).length
  const taken = await mediansOf(rounds, () =>
    Promise.resolve({
      keepalived: wall('keepalived', ['-t', '-f', file]),
      ours: wall(process.execPath, [director, '-t', '-f', file]),
      start: wall(process.execPath, ['-e', '0']),
    }),
  )
  const [program = '', ...args] = self
  const child = spawnSync(program, ['--expose-gc', ...args, 'reading', '--load', file], { encoding: 'utf8' })
  return { servers, keywords, ...taken, heap: JSON.parse(child.stdout) as Heap }
}

/** Whatever the program says of the file: keepalived minds missing interfaces, and both a missing scheduler module. */
function wall(program: string, args: readonly string[]): Millis {
  const began = performance.now()
  spawnSync(program, args, { stdio: 'ignore' })
  return millis(performance.now() - began)
}

async function load(file: string): Promise<Heap> {
  const { gc } = globalThis
  gc?.()
  const before = process.memoryUsage().heapUsed
  const began = performance.now()
  const { config } = await loadConfig(file, { checkers })
  const took = performance.now() - began
  gc?.()
  const kept = process.memoryUsage().heapUsed - before
  // The configuration must still be there when the heap is looked at.
  return config === undefined ? { load: NaN, kept: NaN } : { load: took, kept }
}

const title = '## Reading configurations'

function section(all: readonly Figures[]): string {
  const rows = all.map(({ servers, keywords, keepalived, ours, start, heap }) => {
    const beyond = millis(ours - start)
    return [
      servers.toLocaleString('en'),
      formatDuration(keepalived),
      formatDuration(ours),
      formatDuration(start),
      (beyond / keepalived).toPrecision(2),
      formatDuration(heap.load),
      `${Math.round(heap.kept / keywords)}`,
    ]
  })
  const head = [
    'real servers',
    'keepalived -t',
    'ipvs-director -t',
    "Node's start",
    'ratio beyond the start',
    'reading alone',
    'bytes a keyword',
  ]
  const table = [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  return `${title}

Written by \`npm run bench -- reading\`: medians of ${rounds} alternating runs with Node ${process.versions.node} on a machine's own kernel,
each real server with a weight and a TCP_CHECK. The goals at 100,000: a ratio of at most 1, and under 400 bytes of heap a keyword.

${table}
`
}

import { formatDuration, type Millis } from '@ipvs-director/core'

/** One comparison: what was measured beside a peer in the same boot, and the ratio that must not be passed. */
export interface Finding {
  readonly what: string
  readonly ours: Millis
  readonly peer: string
  readonly theirs: Millis
  /** Ours by theirs, at most; undefined where no goal is set. NaN durations: not measured. */
  readonly goal: number | undefined
}

const columns = ['what', 'ours', 'beside', 'theirs', 'ratio', 'goal', ''] as const

/** One row per finding, as cells of text. */
function rows(findings: readonly Finding[]): string[][] {
  return findings.map(({ what, ours, peer, theirs, goal }) => {
    const ratio = ours / theirs
    const held = goal === undefined ? '' : ratio <= goal ? 'held' : Number.isNaN(ratio) ? 'not measured' : 'MISSED'
    const time = (value: Millis): string => (Number.isNaN(value) ? '–' : formatDuration(value))
    const cells = [what, time(ours), peer, time(theirs), Number.isNaN(ratio) ? '–' : ratio.toPrecision(2)]
    return [...cells, goal === undefined ? '' : `≤ ${goal}`, held]
  })
}

/** For a terminal. */
export function screen(findings: readonly Finding[]): string {
  const lines = [[...columns], ...rows(findings)]
  const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** For docs/benchmarks.md. */
export function page(findings: readonly Finding[], machine: string): string {
  const table = [[...columns], columns.map(() => '---'), ...rows(findings)].map((line) => `| ${line.join(' | ')} |`)
  return `# Benchmarks

Written by \`npm run bench\`. All of it was measured in one boot of ${machine}, medians of three alternating runs. Only the
ratios mean anything: system calls are about ten times slower there than on a kernel of its own.

${table.join('\n')}

Every figure was taken in a network namespace of its own, on an empty table.

- _install_: from the table being known to the kernel's last answer, by \`ipvs-netlink\` in a process that has done
  nothing before.
- _audit_, _read back_: again and again in a running process, as the director does every 30 seconds. The audit compares the
  whole table with what is wanted, nothing having changed.
- _start to full table_: from the start of the program, Node's own start included, to the last entry in the kernel.
  keepalived and we read the same file, with a TCP_CHECK for each server, none of which is due yet.
- _ten times 10,000_: a ratio of one is linear growth.
`
}

import { millis } from '@ipvs-director/core'
import type { Verdict } from '../checker.ts'
import { checkers } from '../checkers.ts'
import type { Checker } from '../define.ts'
import { createNodeIo } from '../io/node-io.ts'
import type { ProbeIo } from '../io/port.ts'
import { probeOnce } from './probe.ts'
import { readChecker, type Around } from './read.ts'

/** Where no `connect_timeout` is written. */
const soon = millis(3000)

/**
 * Makes one probe by a checker exactly as it stands in a configuration, its connection and its timeout too. Of several
 * checks that a block stands for, the first failure.
 */
export async function ask(block: string, around: Around = {}, io: ProbeIo = createNodeIo()): Promise<Verdict> {
  const { checkers: read, remarks } = await readChecker(block, around)
  const errors = remarks.filter((remark) => remark.startsWith('E'))
  if (errors.length > 0) throw new Error(`${block}: ${errors.join()}`)
  const written = /\bconnect_timeout\b|\bmisc_timeout\b/.test(block)
  let verdict: Verdict | undefined
  for (const { kind, connection, options, timing } of read) {
    const timeout = written ? timing.timeout : soon
    verdict = await probeOnce(checkerOf(kind), io, connection, options, { timeout })
    if (!verdict.up) return verdict
  }
  if (verdict === undefined) throw new Error(`${block}: there is no check`)
  return verdict
}

/** The checker of that kind. */
export function checkerOf(kind: string): Checker {
  const checker = checkers.find(({ keyword }) => keyword === kind)
  if (checker === undefined) throw new Error(`there is no checker ${kind}`)
  return checker
}

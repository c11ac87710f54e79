import { agentError, type Request } from './packet.ts'
import type { MibTree } from './tree.ts'
import type { VarBind } from './value.ts'

export interface Answer {
  readonly error: number
  readonly index: number
  readonly binds: readonly VarBind[]
}

/** Variables in one answer to a GetBulk at most: the master asks again. */
const mostAtOnce = 250

const otherContext: Answer = { error: agentError.unsupportedContext, index: 0, binds: [] }

/** What is answered to a request; undefined: nothing (CleanupSet, Close, what we do not know). */
export function answerTo(request: Request, tree: MibTree): Answer | undefined {
  const fine = (binds: readonly VarBind[]): Answer => ({ error: agentError.none, index: 0, binds })
  switch (request.kind) {
    case 'get':
    case 'getNext':
      if (request.context) return otherContext
      if (request.kind === 'get') return fine(request.ranges.map(({ start }) => ({ name: start, value: tree.get(start) }))) // prettier-ignore
      return fine(request.ranges.map((range) => tree.next(range)))
    case 'getBulk':
      return request.context ? otherContext : fine(bulk(request, tree))
    case 'testSet': // nothing can be written
      return { error: agentError.notWritable, index: 1, binds: [] }
    case 'commitSet':
    case 'undoSet':
      return fine([])
    case 'cleanupSet':
    case 'close':
    case 'response':
    case 'other':
      return undefined
  }
}

/** RFC 2741 §7.2.1.3: the first ones once, the others again and again, row by row, until all are at their end. */
function bulk(
  { ranges, nonRepeaters, maxRepetitions }: Extract<Request, { kind: 'getBulk' }>,
  tree: MibTree,
): VarBind[] {
  const binds = ranges.slice(0, nonRepeaters).map((range) => tree.next(range))
  let repeating = ranges.slice(nonRepeaters)
  for (let i = 0; i < maxRepetitions && repeating.length > 0 && binds.length < mostAtOnce; i++) {
    const row = repeating.map((range) => tree.next(range))
    binds.push(...row)
    if (row.every(({ value }) => value.type === 'endOfMibView')) break
    repeating = repeating.map((range, n) => ({ ...range, start: row[n]?.name ?? range.start, include: false }))
  }
  return binds
}

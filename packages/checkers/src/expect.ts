import { agrees, type HexPattern } from './hex.ts'
import { matcherOf } from './pattern/match.ts'
import type { Pattern } from './pattern/options.ts'

/** What must be in an answer; plain data. */
export type Expectation =
  /** These bytes, anywhere. */
  | { readonly kind: 'text'; readonly hex: string }
  /** These bytes, half bytes of them wild, at the beginning. */
  | { readonly kind: 'bytes'; readonly pattern: HexPattern }
  | { readonly kind: 'regex'; readonly pattern: Pattern }

/** Whether the answer so far has it. */
export function contains(answer: Buffer, expect: Expectation): boolean {
  switch (expect.kind) {
    case 'text':
      return answer.includes(Buffer.from(expect.hex, 'hex'))
    case 'bytes':
      return answer.length >= expect.pattern.bytes.length / 2 && agrees(answer, expect.pattern)
    case 'regex':
      return matcherOf(expect.pattern).search(answer, { min: 0, max: undefined }) === 'found'
  }
}

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

/** Whether the answer so far has it; `tooSlow`: the regex takes longer than it may, and would again with the next piece. */
export function contains(answer: Buffer, expect: Expectation): boolean | 'tooSlow' {
  switch (expect.kind) {
    case 'text':
      return answer.includes(Buffer.from(expect.hex, 'hex'))
    case 'bytes':
      return answer.length >= expect.pattern.bytes.length / 2 && agrees(answer, expect.pattern)
    case 'regex': {
      const found = matcherOf(expect.pattern).search(answer, { min: 0, max: undefined })
      return found === 'tooSlow' ? found : found === 'found'
    }
  }
}

import type { Problem } from './model.ts'

/** A request that is answered with an error: HTTP status, a code for programs and a sentence for people. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly status: number
  readonly code: string
  readonly suggestions: readonly string[]
  /** Further headers of the answer (`Allow`). */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    message: string,
    more: { suggestions?: readonly string[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.status = status
    this.code = code
    this.suggestions = more.suggestions ?? []
    this.headers = more.headers ?? {}
  }

  /** The answer's body. */
  body(): Problem {
    const suggestions = this.suggestions.length > 0 ? { suggestions: this.suggestions } : {}
    return { error: { code: this.code, message: this.message, ...suggestions } }
  }
}

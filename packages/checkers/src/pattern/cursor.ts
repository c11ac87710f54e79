/** A place in a pattern that is being read. */
export class Cursor {
  readonly source: string
  at = 0

  constructor(source: string) {
    this.source = source
  }

  get ended(): boolean {
    return this.at >= this.source.length
  }

  get rest(): string {
    return this.source.slice(this.at)
  }

  /** The next character; NUL at the end. */
  take(): string {
    const char = String.fromCodePoint(this.source.codePointAt(this.at) ?? 0)
    this.at += char.length
    return char
  }

  /** Takes what the regex (anchored by `^`) finds here. */
  match(pattern: RegExp): RegExpExecArray | undefined {
    const found = pattern.exec(this.rest) ?? undefined
    if (found !== undefined) this.at += found[0].length
    return found
  }

  /** Takes one of these characters or words. */
  takes(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false
    this.at += text.length
    return true
  }

  /** To after the next `end`, or to the very end. Answers what was passed. */
  skipTo(end: string): string {
    const found = this.source.indexOf(end, this.at)
    const passed = this.source.slice(this.at, found < 0 ? undefined : found)
    this.at = found < 0 ? this.source.length : found + end.length
    return passed
  }
}

/** The pattern cannot be had in JavaScript (or is no pattern at all); the message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

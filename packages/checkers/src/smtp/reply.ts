import { ProbeFailure } from '../verdict.ts'

/** RFC 5321 §4.5.3.1.5: a reply line has at most 512 bytes; a greeting may have many lines. */
const maxLine = 512
const maxReply = 16 * 1024

/** One reply: its code, and the text of its first line. */
export interface SmtpReply {
  readonly code: number
  readonly line: string
}

/**
 * Reads one SMTP reply (RFC 5321 §4.2): lines `250-text` up to the line `250 text`, `250` alone too. Lines may end by LF
 * only. What comes after it is left out.
 */
export class SmtpReplyReader {
  #text = ''
  #read = 0
  #first: string | undefined
  #reply: SmtpReply | undefined

  /** Undefined until it is whole. */
  get reply(): SmtpReply | undefined {
    return this.#reply
  }

  /** Takes a chunk; true when the reply is whole. Throws a {@link ProbeFailure} when it is none. */
  take(chunk: Buffer): boolean {
    this.#read += chunk.length
    if (this.#read > maxReply) throw new ProbeFailure('protocol', `reply longer than ${maxReply} bytes`)
    this.#text += chunk.toString('latin1')
    for (;;) {
      const end = this.#text.indexOf('\n')
      if (end < 0) break
      const line = this.#text.slice(0, end).replace(/\r$/, '')
      this.#text = this.#text.slice(end + 1)
      if (this.#takeLine(line)) return true
    }
    if (this.#text.length > maxLine) throw new ProbeFailure('protocol', `reply line longer than ${maxLine} bytes`)
    return false
  }

  #takeLine(line: string): boolean {
    const match = /^(\d{3})([ -]|$)/.exec(line)
    if (match === null) throw new ProbeFailure('protocol', 'not an SMTP reply')
    this.#first ??= line
    if (match[2] === '-') return false
    this.#reply = { code: Number(match[1]), line: this.#first }
    return true
  }
}

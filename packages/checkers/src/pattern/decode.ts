/** A body as text, and where a byte of it is in the text. */
export interface Decoded {
  readonly text: string
  indexOf(byte: number): number
}

/** Each byte a character. */
export function latin1(body: Buffer): Decoded {
  return { text: body.toString('latin1'), indexOf: (byte) => byte }
}

/** UTF-8; what is not valid becomes U+FFFD. */
export function utf8(body: Buffer): Decoded {
  return {
    text: body.toString('utf8'),
    indexOf: (byte) => body.toString('utf8', 0, Math.min(byte, body.length)).length,
  }
}

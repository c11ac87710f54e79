/** Bytes that are not what they should be: truncated, over-long or of an unknown shape. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
}

/**
 * The kernel refused. The message says what was tried on what and how it was refused, for example
 * `cannot add 10.0.0.2:80 to 192.0.2.1:80/tcp: EEXIST`.
 */
export class KernelError extends Error {
  override readonly name: string = 'KernelError'
  /** The errno as a positive number, for example 17. */
  readonly errno: number
  /** The errno's name, for example `EEXIST`. */
  readonly code: string
  /** The kernel's own words (extended acknowledgement), where it gave any. */
  readonly detail: string | undefined

  constructor(tried: string, refusal: { errno: number; code: string; detail?: string | undefined }, cause?: unknown) {
    const detail = refusal.detail === undefined ? '' : ` (${refusal.detail})`
    super(`${tried}: ${refusal.code}${detail}`, cause === undefined ? undefined : { cause })
    this.errno = refusal.errno
    this.code = refusal.code
    this.detail = refusal.detail
  }
}

/** What went wrong as one line: the message and those of its causes, never a stack. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `: ${describeError(error.cause)}`
  const own = error.message === '' ? error.name : error.message
  return cause !== '' && own.endsWith(cause.slice(2)) ? own : own + cause
}

/** The `code` of a system error (`ECONNREFUSED`), where it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** For the end of a switch over a union: the compiler knows that nothing is left. */
export function unreachable(value: never): never {
  throw new Error(`impossible: ${JSON.stringify(value)}`)
}

import { describeError, errorCode } from '@ipvs-director/core'

/**
 * Why the director gave no answer of the wished kind. `absent`: none is running; `denied`: the socket or the director
 * does not let us; `timeout`: it took too long; `refused`: it answered with an error (see status, code); `broken`: the
 * connection or the answer broke.
 */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly kind: 'absent' | 'denied' | 'timeout' | 'refused' | 'broken'
  /** HTTP status of a refusal. */
  readonly status: number | undefined
  /** The error's code of a refusal, `no-such-service` for example. */
  readonly code: string | undefined
  readonly suggestions: readonly string[]

  constructor(
    kind: ControlError['kind'],
    message: string,
    more: { status?: number; code?: string; suggestions?: readonly string[]; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause })
    this.kind = kind
    this.status = more.status
    this.code = more.code
    this.suggestions = more.suggestions ?? []
  }
}

/** The sentence for a failed connection. */
export function explain(error: unknown, path: string): ControlError {
  if (error instanceof ControlError) return error
  const cause = { cause: error }
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
    case 'ENOTDIR':
      return new ControlError('absent', `no director is running: nothing listens on ${path}`, cause)
    case 'EACCES':
    case 'EPERM':
      return new ControlError(
        'denied',
        `permission denied on ${path}: it takes root or the group of that socket`,
        cause,
      )
    case 'ENOTSOCK':
    case 'EPROTOTYPE':
      return new ControlError('absent', `no director is running: ${path} is not its socket`, cause)
    case 'EAGAIN':
    case 'ECONNRESET':
    case 'EPIPE':
      return new ControlError(
        'broken',
        `the director on ${path} closed the connection: too many are open, or it ended`,
        cause,
      )
    default:
      return new ControlError('broken', `cannot talk to the director on ${path}: ${describeError(error)}`, cause)
  }
}

/**
 * What an operator asked of a real server at run time. It lies over the file: persisted, shown as such, kept by reloads
 * and restarts, gone by `reset`.
 */
export interface Steer {
  /** Instead of the configured weight and what dynamic checkers add. */
  readonly weight?: number
  /** Instead of what the checkers say. */
  readonly force?: 'up' | 'down'
  readonly admin?: Admin
}

/**
 * Taken out of service by hand; such a server does not count for the quorum.
 * `disabled`: weight 0 until enabled. `draining`: weight 0 until its connections have ended or its time is over, then
 * `drained`: no entry in the kernel.
 */
export type Admin =
  | { readonly kind: 'disabled'; readonly since: number }
  | {
      readonly kind: 'draining'
      readonly since: number
      /** Wall clock at which it is over whatever is left; undefined: no limit. */
      readonly deadline: number | undefined
      /** By `maintenance` of its host. */
      readonly host: boolean
    }
  | { readonly kind: 'drained'; readonly since: number; readonly host: boolean }

export const unsteered: Steer = {}

export function isUnsteered({ weight, force, admin }: Steer): boolean {
  return weight === undefined && force === undefined && admin === undefined
}

/** `draining since …, at most until …` and the like is for status; this is one word for lists and logs. */
export function describeSteer({ weight, force, admin }: Steer): string {
  const parts = [
    ...(admin === undefined ? [] : [admin.kind]),
    ...(force === undefined ? [] : [`forced ${force}`]),
    ...(weight === undefined ? [] : [`weight ${weight}`]),
  ]
  return parts.length === 0 ? 'as configured' : parts.join(', ')
}

import { HttpProblem } from './problem.ts'

/** Reads a member of a request's body; undefined for what it must not be. `wanted` says what it must be. */
export interface Member<T> {
  readonly wanted: string
  read(value: unknown): T | undefined
}

/** A member that must be there. Throws an HttpProblem 400. */
export function member<T>(value: unknown, kind: Member<T>, name: string): T {
  const read = kind.read(value)
  if (read === undefined) throw new HttpProblem(400, 'bad-request', `"${name}" is ${kind.wanted}`)
  return read
}

/** A member that may be missing. */
export function optional<T>(value: unknown, kind: Member<T>, name: string): T | undefined {
  return value === undefined ? undefined : member(value, kind, name)
}

export const text: Member<string> = {
  wanted: 'text',
  read: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
}

export const flag: Member<boolean> = {
  wanted: 'true or false',
  read: (value) => (typeof value === 'boolean' ? value : undefined),
}

/** Two years: more is a mistake. */
const longest = 2 * 366 * 86_400_000

export const duration: Member<number> = {
  wanted: 'milliseconds, more than 0',
  read: (value) => (typeof value === 'number' && value > 0 && value <= longest ? value : undefined),
}

/** The kernel takes no more. */
const mostWeight = 2 ** 31 - 1

export const weight: Member<number> = {
  wanted: `a whole number from 0 to ${mostWeight}`,
  read: (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= mostWeight ? value : undefined,
}

export function oneOf<const T extends string>(...words: readonly T[]): Member<T> {
  return {
    wanted: words.map((word) => `"${word}"`).join(' or '),
    read: (value) => words.find((word) => word === value),
  }
}

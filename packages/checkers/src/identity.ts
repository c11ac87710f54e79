import type { CheckConnection, CheckTiming } from '@ipvs-director/config'
import { createHash } from 'node:crypto'

type Options = Readonly<Record<string, unknown>>

/**
 * What is probed and how, without the timing: two checks with the same identity ask the same question of the same
 * server, so what one learned is true for the other.
 */
export function probeIdentity(kind: string, connection: CheckConnection | undefined, options: Options): string {
  return digest([kind, connection ?? null, options])
}

/** A check's id: equal in kind, target, options and timing means equal id, on any machine and in any run. */
export function checkId(
  kind: string,
  connection: CheckConnection | undefined,
  options: Options,
  timing: CheckTiming,
): string {
  return digest([kind, connection ?? null, options, timing])
}

/**
 * 22 characters of base64url: 128 bits, so that a hundred thousand checks do not meet. They are made of the bytes: a piece
 * of a longer text would keep all of it in memory.
 */
function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest().toString('base64url', 0, 16)
}

/**
 * JSON with the keys in order; undefined properties are left out as JSON does, and so is `place`: moving a line of the
 * file changes nothing about the probe.
 */
function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === undefined ? 'null' : JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const entries = Object.entries(value).filter(([key, item]) => item !== undefined && key !== 'place')
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`
}

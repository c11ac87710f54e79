import type { FoundServer } from './source.ts'

/** A server that serves because a source told of it, and in how many answers since it was missing. */
export interface KnownServer extends FoundServer {
  readonly missing: number
}

/** How much one answer may change. */
export interface Patience {
  /** Answers in a row without a server after which it goes. */
  readonly answers: number
  /** Share of the servers that may go at once; one always may. */
  readonly share: number
}

/** DNS answers may be partial, or wrong for a moment; etcd says exactly what was deleted. */
export const patienceOf = {
  dns: { answers: 2, share: 0.5 },
  etcd: { answers: 1, share: 1 },
} as const satisfies Record<string, Patience>

export const idOf = ({ address, port }: FoundServer): string => `${address} ${port ?? ''}`

/** What serves after an answer. Those that serve already come first, in their order, so that a `max` keeps them. */
export function afterAnswer(
  before: readonly KnownServer[],
  found: readonly FoundServer[],
  { answers, share }: Patience,
): readonly KnownServer[] {
  const now = new Map(found.map((each) => [idOf(each), each]))
  let mayGo = Math.max(1, Math.floor(before.length * share))
  const kept = before.flatMap((each): KnownServer[] => {
    const again = now.get(idOf(each))
    now.delete(idOf(each))
    if (again !== undefined) return [{ ...again, missing: 0 }]
    const missing = each.missing + 1
    if (missing < answers || mayGo === 0) return [{ ...each, missing }]
    mayGo--
    return []
  })
  return [...kept, ...[...now.values()].map((each) => ({ ...each, missing: 0 }))]
}

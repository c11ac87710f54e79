/** Waits until every check that is made has said something since the start. */
export interface FirstVerdicts {
  /** What is probed now. What is not probed any more is not waited for. */
  expect(ids: ReadonlySet<string>): void
  heard(id: string): void
  /** Not probed any more. */
  forget(ids: readonly string[]): void
}

/** `settled` is called once, as soon as nobody is missing. */
export function createFirstVerdicts(settled: () => void): FirstVerdicts {
  let missing: Set<string> | undefined
  let done = false

  function look(): void {
    if (done || missing === undefined || missing.size > 0) return
    done = true
    missing = undefined
    settled()
  }

  return {
    expect(ids) {
      if (done) return
      missing = missing === undefined ? new Set(ids) : new Set([...missing].filter((id) => ids.has(id)))
      look()
    },
    forget(ids) {
      for (const id of ids) missing?.delete(id)
      look()
    },
    heard(id) {
      if (missing?.delete(id) === true) look()
    },
  }
}

import type { OwnedServices } from './reconcile.ts'
import { stateFile } from './state-file.ts'

/** Remembers our services. A missing or damaged file reads as none: nothing foreign is ever removed. `told`: of damage, once. */
export function ownedFile(path: string, told: (problem: string) => void): OwnedServices {
  const file = stateFile<readonly string[]>(path, { read: namesFrom, write: (ids) => JSON.stringify(ids) })
  return {
    load() {
      const { value = [], problem } = file.load()
      if (problem !== undefined) told(`${problem}; services that an earlier run left are taken for those of others`)
      return value
    },
    save: (ids) => {
      file.save(ids)
    },
  }
}

function namesFrom(text: string): readonly string[] | undefined {
  try {
    const names: unknown = JSON.parse(text)
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined
  } catch {
    return undefined
  }
}

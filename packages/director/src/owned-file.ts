import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { OwnedServices } from './reconcile.ts'

/** Remembers our services in a small JSON file. A missing or damaged file reads as none: nothing foreign is ever removed. */
export function ownedFile(path: string): OwnedServices {
  return {
    load() {
      try {
        const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
        return Array.isArray(parsed) ? parsed.filter((id): id is string => typeof id === 'string') : []
      } catch {
        return []
      }
    },
    save(ids) {
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(`${path}.new`, JSON.stringify(ids), { mode: 0o600 })
      renameSync(`${path}.new`, path)
    },
  }
}

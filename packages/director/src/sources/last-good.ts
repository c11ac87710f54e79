import { parseAddress } from '@ipvs-director/core'
import { stateFile } from '../state-file.ts'
import { isRecord } from './json-lines.ts'
import type { FoundServer } from './source.ts'

/** What a source answered last. */
export interface LastGood {
  /** Wall clock. */
  readonly at: number
  readonly servers: readonly FoundServer[]
}

/** By the name of the source. */
export type LastGoods = ReadonlyMap<string, LastGood>

/** Where the last answers outlive the process. */
export interface LastGoodStore {
  /** What was saved, and what could not be read of it; nothing saved reads as empty. */
  load(): { readonly known: LastGoods; readonly problem: string | undefined }
  save(known: LastGoods): void
}

/** Nothing outlives the process. */
export const noLastGood: LastGoodStore = {
  load: () => ({ known: new Map(), problem: undefined }),
  save: () => undefined,
}

/** Layout of the file; a file of another one is not read. */
const layout = 1

export function lastGoodFile(path: string): LastGoodStore {
  const file = stateFile<LastGoods>(path, { read: lastGoodsFrom, write: (known) => `${lastGoodsText(known)}\n` })
  return {
    load() {
      const { value = new Map(), problem } = file.load()
      return { known: value, problem }
    },
    save: (known) => {
      file.save(known)
    },
  }
}

export function lastGoodsText(known: LastGoods): string {
  return JSON.stringify({ layout, sources: Object.fromEntries(known) }, undefined, 1)
}

/** Undefined for what is not of this layout. */
export function lastGoodsFrom(text: string): LastGoods | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isRecord(value) || value['layout'] !== layout || !isRecord(value['sources'])) return undefined
    return new Map(Object.entries(value['sources']).map(([name, each]) => [name, lastGoodFrom(each)]))
  } catch {
    return undefined
  }
}

function lastGoodFrom(value: unknown): LastGood {
  if (!isRecord(value) || !Array.isArray(value['servers'])) throw new TypeError('not as it was written')
  return { at: number(value['at'], Number.MAX_SAFE_INTEGER), servers: value['servers'].map(serverFrom) }
}

function serverFrom(value: unknown): FoundServer {
  const { address, port, weight, tier } = isRecord(value) ? value : {}
  const parsed = typeof address === 'string' ? parseAddress(address) : undefined
  if (parsed === undefined) throw new TypeError('not as it was written')
  return {
    address: parsed,
    port: port === undefined ? undefined : number(port, 65_535),
    weight: weight === undefined ? undefined : number(weight, 2 ** 31 - 1),
    tier: number(tier, 65_535),
  }
}

function number(value: unknown, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max)
    throw new TypeError('no number')
  return value
}

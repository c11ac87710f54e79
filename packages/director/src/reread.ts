import { looksLikeJson, type Before, type ReadBlocks, type Shifted, type VirtualServer } from '@ipvs-director/config'
import { inSlices, pause } from '@ipvs-director/core'
import { resolve } from 'node:path'
import type { Loaded } from './director-options.ts'
import { keepTexts, type KeptTexts } from './kept-texts.ts'
import { loadAside } from './load-aside.ts'
import { loadFile, type LoadedFile, type ReadOptions } from './load.ts'
import { programPath } from './programs.ts'
import { lookAgain, readAhead, recorded, withoutBytes, type Ahead, type KeptRecord, type ReadingRecord } from './reading-record.ts' // prettier-ignore
import { likeness, relocate, shiftPlaces, takeOver, type Moved } from './same-server.ts'

/** Reads the configuration again and again. */
export interface Rereader {
  /** At the start, when nobody is kept waiting. */
  first(): Promise<LoadedFile>
  /**
   * The file, or another one, as it is now; whoever else has something to do has a turn now and then. Virtual servers that
   * mean the same as before are the objects that they were.
   */
  again(file?: string): Promise<Loaded>
  /** Makes small what is kept of the first reading: for when nobody waits any more. */
  tidy(): Promise<void>
}

/** The last reading of the file: while the world is as it was then, it is the answer. */
interface Last {
  readonly loaded: Loaded
  readonly record: KeptRecord
}

/** The last reading that was run: what it gave is taken again where nothing has changed. */
interface Good {
  readonly virtualServers: readonly VirtualServer[]
  readonly blocks: ReadBlocks
  /** Undefined: a JSON text, which is always read whole. */
  readonly texts: KeptTexts | undefined
}

interface Sliced {
  readonly loaded: Loaded
  readonly record: ReadingRecord
  readonly blocks: ReadBlocks
  /** What only stands elsewhere now: read anew, or not at all. */
  readonly moved: readonly Moved[]
  readonly shifted: readonly Shifted[]
}

export function createRereader(file: string, options: ReadOptions): Rereader {
  let last: Last | undefined
  let good: Good | undefined

  function keep(loaded: Loaded, read: Pick<Sliced, 'record' | 'blocks'> | undefined): void {
    last = read === undefined ? undefined : { loaded, record: withoutBytes(read.record) }
    // At the start what has no error in it is run.
    if (loaded.config === undefined || (loaded.errors > 0 && good !== undefined)) return
    const texts = read === undefined ? undefined : keepTexts(read.record)
    good = { virtualServers: loaded.config.virtualServers, blocks: read?.blocks ?? new Map(), texts }
  }

  async function beforeOf(ahead: Ahead): Promise<{ readonly before?: Before }> {
    if (good?.texts === undefined) return {}
    const { blocks, texts } = good
    const lines = await texts.unchangedIn(ahead)
    return { before: { blocks, unchanged: (name) => lines.get(resolve(name)) } }
  }

  async function sliced(path: string, ahead: Ahead): Promise<Sliced> {
    const known = good?.virtualServers ?? []
    const byName = new Map(known.map((each) => [each.name, each]))
    /** Those that mean the same at other places: what is said of them yet must tell where they stand now. */
    const elsewhere = new Map<VirtualServer, VirtualServer>()
    const { record, read, random } = recorded(ahead)
    const instead = (fresh: VirtualServer): VirtualServer => {
      const old = byName.get(fresh.name)
      const like = old === undefined ? 'other' : likeness(fresh, old)
      if (old === undefined || like === 'other') return fresh
      if (like === 'equal') return old
      elsewhere.set(fresh, old)
      return fresh
    }
    const how = { read, random, pause, instead, ...(await beforeOf(ahead)) }
    const { config, blocks, shifted, ...rest } = await loadFile(path, options, how)
    const moved: Moved[] = []
    const others = { record, blocks, moved, shifted }
    if (config === undefined) return { loaded: { config, ...rest }, ...others }
    for (const each of [...blocks.values()].flatMap((of) => of ?? []))
      each.virtual = elsewhere.get(each.virtual) ?? each.virtual
    const virtualServers: VirtualServer[] = []
    const same = new Set(known)
    for (const each of config.virtualServers) {
      const old = elsewhere.get(each)
      virtualServers.push(old ?? each)
      if (old !== undefined) moved.push({ old, fresh: each })
      if (old !== undefined || same.has(each)) continue
      await inSlices(takeOver(each, byName.get(each.name)), (real) => {
        if (real !== undefined) moved.push(real)
      })
    }
    return { loaded: { config: { ...config, virtualServers }, ...rest }, ...others }
  }

  /** What stands elsewhere now is told so. */
  async function tellPlaces({ moved, shifted }: Sliced): Promise<void> {
    await inSlices(moved, relocate)
    const done = new Set<unknown>()
    for (const { block, by } of shifted) {
      await inSlices('realServers' in block ? [...block.realServers, block] : [block], (part) => {
        shiftPlaces(part, by, done)
      })
    }
  }

  return {
    async first() {
      const { record, read, random } = recorded(new Map())
      const loaded = await loadFile(file, options, { read, random })
      keep(loaded, { record, blocks: loaded.blocks })
      return loaded
    },
    tidy: async () => good?.texts?.pack(),
    async again(path = file) {
      const usual = path === file
      const before = usual ? last : undefined
      const { same, ahead } =
        before === undefined ? { same: false, ahead: await readAhead([resolve(path)]) } : await lookAgain(before.record)
      if (same && before !== undefined) return before.loaded
      if (isJson(ahead.get(resolve(path))?.bytes)) {
        const loaded = await loadAside(programPath('load-worker'), path, options, good?.virtualServers ?? [])
        if (usual) keep(loaded, undefined)
        return loaded
      }
      const found = await sliced(path, ahead)
      const { loaded } = found
      if (usual) {
        keep(loaded, found)
        void good?.texts?.pack()
      }
      if (usual && loaded.errors === 0) await tellPlaces(found)
      return loaded
    },
  }
}

/** Such a text is taken in at one go, which is for a thread of its own. */
const isJson = (bytes: Uint8Array = new Uint8Array()): boolean =>
  looksLikeJson(new TextDecoder('latin1').decode(bytes.subarray(0, 4096)))

import { looksLikeJson, type VirtualServer } from '@ipvs-director/config'
import { resolve } from 'node:path'
import type { Loaded } from './director-options.ts'
import { keepTexts, type KeptTexts } from './kept-texts.ts'
import { loadAside } from './load-aside.ts'
import { loadFile, type LoadedFile, type ReadOptions } from './load.ts'
import { programPath } from './programs.ts'
import { lookAgain, readAhead, recorded, withoutBytes, type Ahead, type KeptRecord, type ReadingRecord } from './reading-record.ts' // prettier-ignore
import { likeness, relocate, takeOver, type Moved } from './same-server.ts'
import { inSlices, pause } from './slices.ts'

/** Reads the configuration again and again. */
export interface Rereader {
  /** At the start, when nobody is kept waiting. */
  first(): Promise<LoadedFile>
  /**
   * The file, or another one, as it is now; whoever else has something to do has a turn now and then. Virtual servers that
   * mean the same as before are the objects that they were.
   */
  again(file?: string): Promise<Loaded>
}

/** The last reading of the file: while the world is as it was then, it is the answer. */
interface Last {
  readonly loaded: Loaded
  readonly record: KeptRecord
}

/** The last reading that was run: what it gave is taken again where nothing has changed. */
interface Good {
  readonly virtualServers: readonly VirtualServer[]
  /** Undefined: a JSON text, which is always read whole. */
  readonly texts: KeptTexts | undefined
}

interface Sliced {
  readonly loaded: Loaded
  readonly record: ReadingRecord
  /** What only stands elsewhere now. */
  readonly moved: readonly Moved[]
}

export function createRereader(file: string, options: ReadOptions): Rereader {
  let last: Last | undefined
  let good: Good | undefined

  function keep(loaded: Loaded, record: ReadingRecord | undefined): void {
    last = record === undefined ? undefined : { loaded, record: withoutBytes(record) }
    // At the start what has no error in it is run.
    if (loaded.config === undefined || (loaded.errors > 0 && good !== undefined)) return
    const texts = record === undefined ? undefined : keepTexts(record)
    good = { virtualServers: loaded.config.virtualServers, texts }
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
    const lines = await good?.texts?.unchangedIn(ahead)
    const unchanged = (name: string) => lines?.get(resolve(name))
    const before = { virtualServers: known, unchanged }
    const { config, ...rest } = await loadFile(path, options, { read, random, pause, instead, before })
    const moved: Moved[] = Array.from(elsewhere, ([fresh, old]) => ({ old, fresh }))
    if (config === undefined) return { loaded: { config, ...rest }, record, moved }
    const virtualServers: VirtualServer[] = []
    const same = new Set(known)
    await inSlices(config.virtualServers, (each) => {
      const old = elsewhere.get(each)
      virtualServers.push(old ?? each)
      if (old !== undefined || same.has(each)) return
      for (const real of takeOver(each, byName.get(each.name))) moved.push(real)
    })
    return { loaded: { config: { ...config, virtualServers }, ...rest }, record, moved }
  }

  return {
    async first() {
      const { record, read, random } = recorded(new Map())
      const loaded = await loadFile(file, options, { read, random })
      keep(loaded, record)
      return loaded
    },
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
      const { loaded, record, moved } = await sliced(path, ahead)
      if (usual) keep(loaded, record)
      if (usual && loaded.errors === 0) await inSlices(moved, relocate)
      return loaded
    },
  }
}

/** Such a text is taken in at one go, which is for a thread of its own. */
const isJson = (bytes: Uint8Array = new Uint8Array()): boolean =>
  looksLikeJson(new TextDecoder('latin1').decode(bytes.subarray(0, 4096)))

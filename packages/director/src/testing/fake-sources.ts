import { parseAddress, parseEndpoint } from '@ipvs-director/core'
import { lastGoodsFrom, lastGoodsText } from '../sources/last-good.ts'
import type { FoundServer, SourceEvents } from '../sources/source.ts'
import { sourceName, type SourcesOptions } from '../sources/sources.ts'

/** Sources by name that say what a test says; what they said last is kept as the file would. */
export interface FakeSources extends Pick<SourcesOptions, 'open' | 'store'> {
  /** `10.0.0.1` or `10.0.0.1:80`. */
  tell(name: string, servers: readonly string[]): void
  fail(name: string, reason: string): void
  followed(): readonly string[]
}

/** `answers`: what sources say when they are opened; the others say nothing. */
export function fakeSources(answers: Readonly<Record<string, readonly string[]>>): FakeSources {
  const say = new Map<string, (events: SourceEvents) => void>()
  const watched = new Map<string, SourceEvents>()
  let saved = '{"layout":1,"sources":{}}'
  const set = (name: string, what: (events: SourceEvents) => void): void => {
    say.set(name, what)
    const events = watched.get(name)
    if (events !== undefined) what(events)
  }
  const tell = (name: string, servers: readonly string[]): void => {
    set(name, (events) => {
      events.answered({ servers: servers.map(found), remarks: [] })
    })
  }
  for (const [name, servers] of Object.entries(answers)) tell(name, servers)
  return {
    tell,
    fail(name, reason) {
      set(name, (events) => {
        events.failed(reason)
      })
    },
    followed: () => [...watched.keys()],
    store: {
      load: () => ({ known: lastGoodsFrom(saved) ?? new Map(), problem: undefined }),
      save(known) {
        saved = lastGoodsText(known)
      },
    },
    open: (settings) => ({
      list: () => Promise.reject(new Error('not asked for')),
      watch(events) {
        const name = sourceName(settings)
        watched.set(name, events)
        setImmediate(() => {
          if (watched.get(name) === events) say.get(name)?.(events)
        })
        return () => watched.delete(name)
      },
    }),
  }
}

function found(text: string): FoundServer {
  const endpoint = parseEndpoint(text)
  const address = endpoint?.address ?? parseAddress(text)
  if (address === undefined) throw new TypeError(`not a server: ${text}`)
  return { address, port: endpoint?.port, weight: undefined, tier: 0 }
}

import type { EtcdSource } from '@ipvs-director/config'
import { describeError, millis, seconds, type Clock, type Random } from '@ipvs-director/core'
import { serverFromValue } from './etcd-value.ts'
import { isRecord, readLines } from './json-lines.ts'
import type { FoundServer, Listing, Source } from './source.ts'

export interface EtcdOptions {
  readonly clock: Clock
  readonly random: Random
}

/** How often it is listed while a watch says nothing: a connection may be dead without a word, and the age is to be known. */
const interval = seconds(30)

/** Why a watch is ended that was silent. */
const overdue = new Error('listed anew')

/** Time that a listing may take. */
const patience = seconds(5)

/** Milliseconds from a failure to the next attempt, doubled each time. */
const shortest = 1000
const longest = 30_000

/** Values by key, and the revision of the store they are of. */
interface Snapshot {
  readonly values: Map<string, string>
  readonly revision: bigint
}

/**
 * Real servers from the keys of etcd (v3) that begin with a prefix, by its JSON gateway: listed, then watched from there
 * on. A watch that ends, for a compaction or whatever else, begins anew with a listing.
 */
export function etcdSource(settings: EtcdSource, { clock, random }: EtcdOptions): Source {
  const { url, prefix } = settings
  const range = { key: base64(prefix), range_end: base64(endOf(prefix)) }

  async function post(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const response = await fetch(`${url}/v3/${path}`, { method: 'POST', body: JSON.stringify(body), signal })
    if (!response.ok) throw new Error(`${url}/v3/${path} answered ${response.status}`)
    return response
  }

  async function take(signal: AbortSignal): Promise<Snapshot> {
    const enough = AbortSignal.any([signal, AbortSignal.timeout(patience)])
    const answer: unknown = await (await post('kv/range', range, enough)).json()
    const { header, kvs = [] } = record(answer)
    const values = new Map<string, string>()
    for (const kv of Array.isArray(kvs) ? kvs : []) {
      const { key, value } = record(kv)
      values.set(text(key), text(value))
    }
    return { values, revision: whole(record(header)['revision']) }
  }

  function listingOf(values: ReadonlyMap<string, string>): Listing {
    const servers = new Map<string, FoundServer>()
    const remarks: string[] = []
    for (const [key, value] of [...values].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const server = serverFromValue(value, key.slice(prefix.length))
      if (server === undefined) remarks.push(`the value of ${key} is no server`)
      else {
        const id = `${server.address} ${server.port ?? ''}`
        if (!servers.has(id)) servers.set(id, server)
      }
    }
    if (servers.size === 0) throw new Error(`no key under ${prefix} is a server`)
    return { servers: [...servers.values()], remarks }
  }

  /** Carries out what a watch tells; ends when it does. */
  async function follow({ values, revision }: Snapshot, signal: AbortSignal, changed: () => void): Promise<void> {
    const request = { create_request: { ...range, start_revision: String(revision + 1n) } }
    const { body } = await post('watch', request, signal)
    if (body === null) throw new Error('a watch without an answer')
    for await (const line of readLines(body)) {
      const { result, error } = record(line)
      if (error !== undefined) throw new Error(`the watch failed: ${JSON.stringify(error)}`)
      const { canceled, events = [] } = record(result)
      if (canceled === true) return
      if (!Array.isArray(events) || events.length === 0) continue
      for (const event of events) {
        const { type, kv } = record(event)
        const { key, value } = record(kv)
        if (type === 'DELETE') values.delete(text(key))
        else values.set(text(key), text(value))
      }
      changed()
    }
  }

  return {
    list: async () => listingOf((await take(new AbortController().signal)).values),
    watch(events) {
      let stopped = false
      let current = new AbortController()
      let failures = 0
      let wake = (): void => undefined
      const tell = (values: ReadonlyMap<string, string>): void => {
        if (stopped) return
        let listing: Listing
        try {
          listing = listingOf(values)
        } catch (error) {
          events.failed(describeError(error))
          return
        }
        events.answered(listing)
      }
      const pause = (wait: number): Promise<void> =>
        new Promise((resolve) => {
          const timer = clock.after(millis(wait), resolve)
          wake = () => {
            timer.cancel()
            resolve()
          }
        })
      /** One listing and the watch from there on, for as long as nothing is to be looked at anew. */
      const round = async (): Promise<void> => {
        const mine = (current = new AbortController())
        const snapshot = await take(mine.signal)
        failures = 0
        tell(snapshot.values)
        const timer = clock.after(interval, () => {
          mine.abort(overdue)
        })
        try {
          await follow(snapshot, mine.signal, () => {
            tell(snapshot.values)
          })
        } catch (error) {
          if (mine.signal.reason !== overdue) throw error
        } finally {
          timer.cancel()
          mine.abort()
        }
      }
      const isStopped = (): boolean => stopped
      const run = async (): Promise<void> => {
        while (!isStopped()) {
          const began = clock.now()
          try {
            await round()
            // A watch that is cancelled at once, again and again, is not to be asked for without end.
            if (clock.now() - began < shortest && !isStopped()) await pause(shortest)
          } catch (error) {
            if (isStopped()) return
            events.failed(reasonOf(error))
            await pause(Math.min(shortest * 2 ** failures++, longest) * (1 + 0.2 * random()))
          }
        }
      }
      void run()
      return () => {
        stopped = true
        current.abort()
        wake()
      }
    },
  }
}

/** `fetch failed` says nothing: the reason is its cause. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? describeError(error.cause) : describeError(error)
}

const base64 = (value: string | Uint8Array): string => Buffer.from(value as Uint8Array).toString('base64')

/** What the key of a range is below that holds every key with this prefix; one NUL where there is no such key. */
function endOf(prefix: string): Uint8Array {
  const bytes = Buffer.from(prefix)
  for (let i = bytes.length - 1; i >= 0; i--) {
    const byte = bytes[i] ?? 0
    if (byte === 0xff) continue
    bytes[i] = byte + 1
    return bytes.subarray(0, i + 1)
  }
  return Uint8Array.of(0)
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw new Error('this is not how etcd answers')
  return value
}

const text = (value: unknown): string => (typeof value === 'string' ? Buffer.from(value, 'base64').toString() : '')

const whole = (value: unknown): bigint =>
  (typeof value === 'string' && /^\d+$/.test(value)) || typeof value === 'number' ? BigInt(value) : 0n

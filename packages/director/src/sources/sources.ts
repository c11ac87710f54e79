import type { Config, ServerSource } from '@ipvs-director/config'
import type { SourceStatus } from '@ipvs-director/control'
import { count, describeError, formatEndpoint, type Clock, type LogFields, type Timer } from '@ipvs-director/core'
import { afterAnswer, idOf, patienceOf, type KnownServer } from './answer.ts'
import type { LastGoodStore } from './last-good.ts'
import { withFoundServers } from './resolved.ts'
import type { Listing, Source } from './source.ts'

export interface SourcesOptions {
  readonly clock: Clock
  readonly say: (level: 'info' | 'warn' | 'error', event: string, message: string, fields: LogFields) => void
  readonly store: LastGoodStore
  /** What a line of `real_servers_from` stands for. */
  readonly open: (settings: ServerSource) => Source
  /** Some virtual server has other servers than before. */
  readonly changed: () => void
}

/** Everything that real servers come from beside the file. */
export interface Sources {
  /** Follows what this configuration asks for, and nothing else. */
  use(config: Config): void
  /** With the servers of the last good answers; pure as long as none comes. */
  resolved(config: Config): Config
  /** Resolves when each source has a last good answer, or has failed; at the latest after so many milliseconds. */
  settled(atMost: number): Promise<void>
  status(): readonly SourceStatus[]
  stop(): void
}

interface Followed {
  readonly settings: ServerSource
  /** Virtual servers that ask for it. */
  users: readonly string[]
  remarks: readonly string[]
  /** Since when it fails, and why it did the last time. */
  failed: { readonly at: number; readonly message: string } | undefined
  readonly end: () => void
}

interface Known {
  readonly at: number
  readonly servers: readonly KnownServer[]
}

/** How much older than the last answer its moment in the store may be, in milliseconds. */
const saveEvery = 60_000

/** As people name it, and as its last good answer is kept: what else the line says makes it no other source. */
export const sourceName = (settings: ServerSource): string =>
  settings.kind === 'dns'
    ? `dns ${settings.type} ${settings.name}${settings.type === 'SRV' ? ` (${settings.family})` : ''}`
    : `etcd ${settings.url} ${settings.prefix}`

export function createSources(options: SourcesOptions): Sources {
  const { clock, say, store, open, changed } = options
  const stored = store.load()
  if (stored.problem !== undefined) say('error', 'source.damaged', stored.problem, {})
  const known = new Map<string, Known>(
    [...stored.known].map(([name, { at, servers }]) => [
      name,
      { at, servers: servers.map((each) => ({ ...each, missing: 0 })) },
    ]),
  )
  const followed = new Map<string, Followed>()
  const waiting = new Set<() => void>()
  let savedAt = 0
  let used = false
  let stopped = false

  function save(): void {
    savedAt = clock.wall()
    const plain = [...known].map(([name, { at, servers }]) => {
      return [
        name,
        { at, servers: servers.map(({ address, port, weight, tier }) => ({ address, port, weight, tier })) },
      ] as const
    })
    try {
      store.save(new Map(plain))
    } catch (error) {
      say('error', 'source.not-saved', `cannot save the last answers of sources: ${describeError(error)}`, {})
    }
  }

  function follow(name: string, settings: ServerSource): Followed {
    const source: Followed = {
      settings,
      users: [],
      remarks: [],
      failed: undefined,
      end: open(settings).watch({
        answered(listing) {
          answered(name, source, listing)
          wake()
        },
        failed(message) {
          if (source.failed === undefined) {
            const left = known.get(name)?.servers.length ?? 0
            const what =
              left === 0 ? 'there is no earlier answer' : `what it said last stays (${count(left, 'server')})`
            say('error', 'source.failed', `Source ${name} fails, ${what}: ${message}`, { source: name })
          }
          source.failed = { at: source.failed?.at ?? clock.wall(), message }
          wake()
        },
      }),
    }
    return source
  }

  function answered(name: string, source: Followed, { servers, remarks }: Listing): void {
    const before = known.get(name)?.servers ?? []
    const now = afterAnswer(before, servers, patienceOf[source.settings.kind])
    known.set(name, { at: clock.wall(), servers: now })
    if (source.failed !== undefined) say('info', 'source.answers', `Source ${name} answers again`, { source: name })
    source.failed = undefined
    for (const remark of remarks) {
      if (!source.remarks.includes(remark)) say('warn', 'source.remark', `Source ${name}: ${remark}`, { source: name })
    }
    source.remarks = remarks
    if (text(before) !== text(now)) {
      say('info', 'source.changed', `Source ${name}: ${difference(before, now)}`, { source: name, servers: now.length })
      save()
      changed()
    } else if (clock.wall() - savedAt >= saveEvery) save()
  }

  const isSettled = (): boolean => [...followed].every(([name, { failed }]) => known.has(name) || failed !== undefined)

  function wake(): void {
    if (isSettled()) for (const each of waiting) each()
  }

  return {
    use({ virtualServers }) {
      if (stopped) return
      const wanted = new Map<string, { settings: ServerSource; users: string[] }>()
      for (const { name: user, dynamic } of virtualServers) {
        for (const settings of dynamic?.sources ?? []) {
          const name = sourceName(settings)
          const others = wanted.get(name)
          if (others === undefined) wanted.set(name, { settings, users: [user] })
          else if (!others.users.includes(user)) others.users.push(user)
        }
      }
      for (const [name, { end, settings }] of followed) {
        const next = wanted.get(name)?.settings
        if (next !== undefined && paceOf(next) === paceOf(settings)) continue
        end()
        followed.delete(name)
      }
      // Later, what a rollback may need again is kept.
      if (!used) for (const name of known.keys()) if (!wanted.has(name)) known.delete(name)
      used = true
      for (const [name, { settings, users }] of wanted) {
        const source = followed.get(name) ?? follow(name, settings)
        source.users = users
        followed.set(name, source)
      }
    },
    resolved: (config) => withFoundServers(config, (source) => known.get(sourceName(source))?.servers ?? []),
    settled(atMost) {
      if (isSettled()) return Promise.resolve()
      return new Promise((resolve) => {
        const done = (): void => {
          timer.cancel()
          waiting.delete(done)
          resolve()
        }
        const timer: Timer = clock.after(atMost as Parameters<Clock['after']>[0], done)
        waiting.add(done)
      })
    },
    status: () =>
      [...followed].map(([name, { settings, users, failed, remarks }]) => ({
        name,
        kind: settings.kind,
        virtualServers: users,
        servers: known.get(name)?.servers.length ?? 0,
        answeredAt: known.get(name)?.at,
        failed,
        remarks,
      })),
    stop() {
      stopped = true
      for (const { end } of followed.values()) end()
      if (followed.size > 0) save()
      followed.clear()
      for (const each of waiting) each()
    },
  }
}

/** What of its settings the watching itself goes by. */
const paceOf = (settings: ServerSource): number => (settings.kind === 'dns' ? settings.minTtl : 0)

const text = (servers: readonly KnownServer[]): string =>
  servers.map((each) => `${idOf(each)} ${each.weight ?? ''} ${each.tier}`).join('\n')

/** `3 servers, + 10.0.0.3, - 10.0.0.1:80`. */
function difference(before: readonly KnownServer[], now: readonly KnownServer[]): string {
  const old = new Set(before.map(idOf))
  const fresh = new Set(now.map(idOf))
  const came = now.filter((each) => !old.has(idOf(each))).map((each) => `+ ${shown(each)}`)
  const went = before.filter((each) => !fresh.has(idOf(each))).map((each) => `- ${shown(each)}`)
  const changes = [...came, ...went]
  const more = changes.length > 10 ? [`and ${changes.length - 10} more`] : []
  return [count(now.length, 'server'), ...changes.slice(0, 10), ...more].join(', ')
}

const shown = ({ address, port }: KnownServer): string =>
  port === undefined ? address : formatEndpoint({ address, port })

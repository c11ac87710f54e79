import { setTimeout as sleep } from 'node:timers/promises'
import { describeError, millis, seconds, type Millis } from '@ipvs-director/core'
import type { Host } from '../host.ts'
import { connectFrom, type LongConnection } from './tcp.ts'

/** Numbered exchanges on connections that are to stay open. */
export interface Conversation {
  /** Exchanges so far, of all connections. */
  readonly exchanges: number
  /** Why connections broke, one text each; a connection that stands still longer than a TCP would is one of them. */
  readonly broken: readonly string[]
  /** Ends when every connection has had its answer. */
  stop(): Promise<void>
}

/** Long enough for TCP to come back from any failover; a connection silent for so long is lost. */
const patience = seconds(60)

/** Lets each connection say the next number, and hear it back, every `pause`; one that stalls holds no other up. */
export function converse(open: readonly LongConnection[], pause: Millis = millis(50)): Conversation {
  const state = { exchanges: 0, over: false }
  const broken: string[] = []
  async function talk(connection: LongConnection, name: string): Promise<void> {
    for (let number = 1; !state.over; number++) {
      const text = String(number).padStart(8, '0')
      try {
        const answer = await within(patience, connection.exchange(text))
        if (answer !== text) throw new Error(`heard ${answer ?? 'nothing'} instead of ${text}`)
      } catch (error) {
        broken.push(`${name}, exchange ${number}: ${describeError(error)}`)
        return
      }
      state.exchanges++
      await sleep(pause)
    }
  }
  const talking = open.map((connection, i) => talk(connection, `connection ${i}`))
  return {
    get exchanges() {
      return state.exchanges
    },
    broken,
    async stop() {
      state.over = true
      await Promise.all(talking)
    },
  }
}

/** New connections, one after the other. */
export interface Visits {
  readonly served: number
  /** Could not connect. */
  readonly refused: number
  /** Connected, and not answered. */
  readonly cut: number
  /** Wall clock of each visit that was not served. */
  readonly failedAt: readonly number[]
  stop(): Promise<void>
}

/** Visits an echo every `pause`. */
export function keepVisiting(host: Host, address: string, port: number, pause: Millis = millis(20)): Visits {
  const state = { served: 0, refused: 0, cut: 0, over: false }
  const failedAt: number[] = []
  async function visit(): Promise<void> {
    const connection = await connectFrom(host, address, port, seconds(3)).catch(() => undefined)
    if (connection === undefined) {
      state.refused++
      failedAt.push(Date.now())
      return
    }
    const answer = await within(
      seconds(3),
      connection.exchange('visit').catch(() => undefined),
    )
    if (answer === 'visit') state.served++
    else {
      state.cut++
      failedAt.push(Date.now())
    }
    connection.end()
  }
  const visiting = (async (): Promise<void> => {
    while (!state.over) {
      await visit()
      await sleep(pause)
    }
  })()
  return {
    get served() {
      return state.served
    },
    get refused() {
      return state.refused
    },
    get cut() {
      return state.cut
    },
    failedAt,
    async stop() {
      state.over = true
      await visiting
    },
  }
}

async function within<T>(time: Millis, work: Promise<T>): Promise<T | undefined> {
  const late = new AbortController()
  const timer = sleep(time, undefined, { signal: late.signal }).catch(() => undefined)
  try {
    return await Promise.race([work, timer])
  } finally {
    late.abort()
  }
}

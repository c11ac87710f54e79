import type { SteerRequest } from '../model.ts'
import type { ListRow } from './rows.ts'

/** What of the live screen is up to whoever sits before it. */
export interface WatchState {
  /** Key of the chosen row; undefined, or gone: the first one. */
  readonly chosen: string | undefined
  /** Virtual servers that were opened or closed by hand. */
  readonly toggled: ReadonlySet<string>
  /** Something that wants a yes before it is done. */
  readonly question: Question | undefined
  /** The last line: what came of what was asked for. */
  readonly message: string | undefined
}

export interface Question {
  /** `drain 10.0.0.2:80 of 192.0.2.1:80/tcp`. */
  readonly what: string
  readonly request: SteerRequest
}

/** What a key asks of the world. */
export type WatchEffect =
  { readonly do: 'quit' } | { readonly do: 'steer'; readonly what: string; readonly request: SteerRequest }

export const calm: WatchState = { chosen: undefined, toggled: new Set(), question: undefined, message: undefined }

/** The last line while nothing else is to be said. */
export const keyHelp = 'arrows choose, enter opens, d drain, x disable, e enable, q quits'

const actions: Readonly<Record<string, 'drain' | 'disable' | 'enable'>> = { d: 'drain', x: 'disable', e: 'enable' }
const quitting: ReadonlySet<string> = new Set(['q', 'Q', '\x03', '\x04'])

/** Where each key leads; `page`: as many rows as fit. */
const moves: Readonly<Record<string, (at: number, rows: number, page: number) => number>> = {
  ...{ '\x1b[A': (at) => at - 1, '\x1bOA': (at) => at - 1, k: (at) => at - 1 },
  ...{ '\x1b[B': (at) => at + 1, '\x1bOB': (at) => at + 1, j: (at) => at + 1 },
  ...{ '\x1b[5~': (at, _, page) => at - page, '\x1b[6~': (at, _, page) => at + page, ' ': (at, _, page) => at + page },
  ...{ '\x1b[H': () => 0, '\x1b[1~': () => 0, g: () => 0 },
  ...{ '\x1b[F': (_, rows) => rows - 1, '\x1b[4~': (_, rows) => rows - 1, G: (_, rows) => rows - 1 },
}

/** Which row is chosen: the first one where the chosen one is gone. */
export function chosenIndex({ chosen }: WatchState, rows: readonly ListRow[]): number {
  return Math.max(
    0,
    rows.findIndex(({ key }) => key === chosen),
  )
}

/** One key. A question is answered by `y`; every other key takes it back, and does nothing else. */
export function pressed(
  state: WatchState,
  key: string,
  rows: readonly ListRow[],
  page: number,
): { readonly state: WatchState; readonly effect?: WatchEffect } {
  const quiet: WatchState = { ...state, question: undefined, message: undefined }
  if (quitting.has(key)) return { state: quiet, effect: { do: 'quit' } }
  const { question } = state
  if (question !== undefined) {
    if (key === 'y' || key === 'Y') return { state: quiet, effect: { do: 'steer', ...question } }
    return { state: { ...quiet, message: `not done: ${question.what}` } }
  }
  const at = chosenIndex(state, rows)
  const row = rows[at]
  const move = moves[key]
  if (move !== undefined) {
    const to = Math.min(Math.max(move(at, rows.length, page), 0), rows.length - 1)
    return { state: { ...quiet, chosen: rows[to]?.key } }
  }
  if (row === undefined) return { state: quiet }
  if (key === '\r' || key === '\n') return { state: { ...quiet, ...toggle(state, row) } }
  const action = actions[key]
  return action === undefined ? { state: quiet } : { state: ask(quiet, action, row) }
}

function ask(state: WatchState, action: 'drain' | 'disable' | 'enable', { service, server, key }: ListRow): WatchState {
  if (server === undefined) return { ...state, message: `choose a real server to ${action}` }
  const what = `${action} ${server.name} of ${service.name}`
  const request: SteerRequest = { action, server: server.name, service: service.name }
  return { ...state, chosen: key, question: { what, request } }
}

/** Whoever closes a virtual server from one of its real servers stands on it afterwards. */
function toggle({ toggled }: WatchState, { service: { name } }: ListRow): Pick<WatchState, 'toggled' | 'chosen'> {
  const next = new Set(toggled)
  if (!next.delete(name)) next.add(name)
  return { toggled: next, chosen: name }
}

/** What was typed as single keys: several may come at once, and an arrow is three characters. */
export function keysOf(typed: string): string[] {
  return typed.match(/\x1b\[[0-9;]*[A-Za-z~]|\x1bO[A-Za-z]|[^]/g) ?? []
}

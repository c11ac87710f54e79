import type { LogFields, LogLevel } from '@ipvs-director/core'
import type { Gate, Status, VrrpEvent, VrrpPlan, VrrpStatus } from '@ipvs-director/vrrp'
import type { ScriptRules } from './scripts.ts'

/**
 * What director and vrrp process say to each other, over the channel of child_process.fork (structured clone). Both come
 * from one build; the version tells when they do not.
 */
export const vrrpProtocolVersion = 1

/** What the process works by. */
export interface VrrpWork {
  readonly plan: VrrpPlan
  readonly scripts: ScriptRules
}

/** Director to vrrp process. `start` comes first and once. */
export type ToVrrp =
  | { readonly do: 'start'; readonly version: number; readonly work: VrrpWork }
  | { readonly do: 'apply'; readonly work: VrrpWork }
  | { readonly do: 'command'; readonly ask: number; readonly command: VrrpCommand; readonly name: string }
  | { readonly do: 'status'; readonly ask: number }
  | { readonly do: 'ping'; readonly ask: number }
  | { readonly do: 'gate'; readonly gate: Gate }
  | { readonly do: 'report'; readonly kind: 'bfd' | 'virtualServer'; readonly name: string; readonly status: Status }
  | { readonly do: 'stop'; readonly keep: boolean }

export type VrrpCommand = 'move' | 'hold' | 'release'

/** Vrrp process to director. */
export type FromVrrp =
  | { readonly say: 'ready' }
  | { readonly say: 'event'; readonly event: VrrpEvent }
  | {
      readonly say: 'log'
      readonly level: LogLevel
      readonly event: string
      readonly message: string
      readonly fields: LogFields | undefined
    }
  | { readonly say: 'status'; readonly ask: number; readonly status: VrrpStatus; readonly lag: Lag }
  /** A command was carried out, or why not; the answer to a ping. */
  | { readonly say: 'done'; readonly ask: number; readonly refused: string | undefined }
  /** It cannot work, and ends. */
  | { readonly say: 'failed'; readonly why: string }

/** How late the process's own event loop was since it was asked last, in milliseconds. */
export interface Lag {
  readonly mean: number
  readonly worst: number
}

const toWords: readonly string[] = ['start', 'apply', 'command', 'status', 'ping', 'gate', 'report', 'stop']
const fromWords: readonly string[] = ['ready', 'event', 'log', 'status', 'done', 'failed']

/** Undefined when it is no such message. */
export const readToVrrp = (message: unknown): ToVrrp | undefined =>
  toWords.includes(wordOf(message, 'do')) ? (message as ToVrrp) : undefined

/** Undefined when it is no such message. */
export const readFromVrrp = (message: unknown): FromVrrp | undefined =>
  fromWords.includes(wordOf(message, 'say')) ? (message as FromVrrp) : undefined

function wordOf(message: unknown, key: 'do' | 'say'): string {
  const word: unknown = typeof message === 'object' && message !== null ? Reflect.get(message, key) : undefined
  return typeof word === 'string' ? word : ''
}

import { durationBuckets } from '@ipvs-director/core'
import type { Check, Figures, Report, Verdict } from '../checker.ts'
import { verdictClasses, type VerdictClass } from '../checker.ts'
import type { Needs } from './privileges.ts'

/**
 * What director and prober processes say to each other, over the channel of child_process.fork (structured clone).
 * Both come from one build; the version tells when they do not.
 */
export const protocolVersion = 2

/** Director to prober. `setup` comes first and once. */
export type ToProber =
  | {
      readonly do: 'setup'
      readonly version: number
      /** Who to become; undefined: stay who we are. */
      readonly identity: { readonly uid: number; readonly gid: number } | undefined
      /** What to have and to keep. */
      readonly needs: Needs
      /** See EngineOptions.firstWait; for tests. */
      readonly firstWait: number | undefined
    }
  /** PEM files by path: the prober may not be able to read them itself. Replaces what was sent before. */
  | { readonly do: 'material'; readonly files: ReadonlyMap<string, string> }
  | { readonly do: 'add'; readonly checks: readonly Check[] }
  | { readonly do: 'remove'; readonly ids: readonly string[] }
  | { readonly do: 'figures'; readonly ask: number; readonly ids: readonly string[] }
  | { readonly do: 'ping'; readonly ask: number }
  | { readonly do: 'stop' }

/** Prober to director. It parses what strangers send, so what it says is looked at before it is believed. */
export type FromProber =
  | { readonly say: 'ready'; readonly version: number }
  | { readonly say: 'reports'; readonly reports: readonly Report[] }
  | { readonly say: 'trouble'; readonly message: string }
  | { readonly say: 'figures'; readonly ask: number; readonly figures: readonly Figures[] }
  | { readonly say: 'pong'; readonly ask: number }

/** The message, or undefined when it is none. */
export function readFromProber(message: unknown): FromProber | undefined {
  if (!isRecord(message)) return undefined
  switch (message.say) {
    case 'ready':
      return isNumber(message.version) ? { say: 'ready', version: message.version } : undefined
    case 'reports':
      return isArrayOf(message.reports, isReport)
        ? { say: 'reports', reports: message.reports.map(compact) }
        : undefined
    case 'trouble':
      return isText(message.message) ? { say: 'trouble', message: message.message } : undefined
    case 'figures':
      return isNumber(message.ask) && isArrayOf(message.figures, isFigures)
        ? { say: 'figures', ask: message.ask, figures: message.figures }
        : undefined
    case 'pong':
      return isNumber(message.ask) ? { say: 'pong', ask: message.ask } : undefined
    default:
      return undefined
  }
}

/**
 * The message to a prober, or undefined when it is none. It comes from the director, which is trusted: only the form of
 * the envelope is looked at.
 */
export function readToProber(message: unknown): ToProber | undefined {
  if (!isRecord(message)) return undefined
  switch (message.do) {
    case 'setup':
    case 'material':
    case 'add':
    case 'remove':
    case 'figures':
    case 'ping':
    case 'stop':
      return message as unknown as ToProber
    default:
      return undefined
  }
}

/** What comes over a channel has its texts anew and room for more; of verdicts one for each server is kept. */
function compact(report: Report): Report {
  const { up, reason, took, weight } = report.verdict
  const known = verdictClasses.find((each) => each === report.verdict.class) ?? report.verdict.class
  const verdict = { up, class: known, reason, took }
  return { ...report, verdict: weight === undefined ? verdict : { ...verdict, weight } }
}

type Unknowns = Readonly<Record<string, unknown>>

/** Longest text that is believed; a reason is a sentence. */
const maxText = 2000

const isRecord = (value: unknown): value is Unknowns => typeof value === 'object' && value !== null
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= maxText
const isOptional = (value: unknown, is: (value: unknown) => boolean): boolean => value === undefined || is(value)

function isArrayOf<T>(value: unknown, is: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(is)
}

function isClass(value: unknown): value is VerdictClass {
  return (verdictClasses as readonly unknown[]).includes(value)
}

function isVerdict(value: unknown): value is Verdict {
  return (
    isRecord(value) &&
    typeof value.up === 'boolean' &&
    isClass(value.class) &&
    isText(value.reason) &&
    isNumber(value.took) &&
    isOptional(value.weight, isNumber)
  )
}

function isReport(value: unknown): value is Report {
  return (
    isRecord(value) &&
    isText(value.id) &&
    typeof value.up === 'boolean' &&
    typeof value.first === 'boolean' &&
    typeof value.turned === 'boolean' &&
    isVerdict(value.verdict) &&
    isNumber(value.at)
  )
}

function isFigures(value: unknown): value is Figures {
  return (
    isRecord(value) &&
    isText(value.id) &&
    typeof value.up === 'boolean' &&
    isNumber(value.failures) &&
    isOptional(value.last, (last) => isVerdict(last) && isNumber((last as unknown as Unknowns).at)) &&
    isNumber(value.probes) &&
    isNumber(value.failed) &&
    isNumber(value.late) &&
    isOptional(value.nextIn, isNumber) &&
    isOptional(value.durations, isDurations)
  )
}

function isDurations(value: unknown): boolean {
  return (
    isRecord(value) &&
    isNumber(value.sum) &&
    Array.isArray(value.counts) &&
    value.counts.length === durationBuckets.length + 1 &&
    value.counts.every(isNumber)
  )
}

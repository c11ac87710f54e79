import type { CheckConnection, CheckTiming } from '@ipvs-director/config'
import type { Millis } from '@ipvs-director/core'
import type { Durations } from './durations.ts'

/**
 * Why a probe ended as it did. `local` is our own failure (no socket, no route on our side, script cannot start): it is
 * never counted against the server.
 */
export const verdictClasses = [
  'ok',
  'refused',
  'timeout',
  'unreachable',
  'reset',
  'tls',
  'protocol',
  'mismatch',
  'local',
] as const
export type VerdictClass = (typeof verdictClasses)[number]

/** The result of one probe. `reason` is a sentence with what was seen, for people. */
export interface Verdict {
  readonly up: boolean
  readonly class: VerdictClass
  readonly reason: string
  readonly took: Millis
  /** MISC_CHECK with misc_dynamic: what the script wants the weight to be; undefined: the configured weight. */
  readonly weight?: number
}

/**
 * One thing to probe, as the director hands it to a prober. Equal content has an equal id, so equal checks of several
 * pools are probed once.
 */
export interface Check {
  /** Made by `checkId` from kind, connection, options and timing. */
  readonly id: string
  readonly kind: string
  readonly connection: CheckConnection | undefined
  readonly options: Readonly<Record<string, unknown>>
  readonly timing: CheckTiming
  readonly initial: InitialHealth
}

/** What is believed of a check before its first verdict. */
export interface InitialHealth {
  readonly up: boolean
  /**
   * True at daemon start for a server nothing is known of: its first failure counts at once, no retries (checkers.md
   * §2). False when the state was kept (reload, adoption): it has all its retries.
   */
  readonly unproven: boolean
  /** True when a verdict was already reported before (reload, prober restart), so the next is not a first one. */
  readonly seen: boolean
}

/** What a prober tells of a check: on its first verdict, when it turns, and when its dynamic weight changes. */
export interface Report {
  readonly id: string
  readonly up: boolean
  /** The first verdict ever of this check. */
  readonly first: boolean
  /** Health changed by this verdict. */
  readonly turned: boolean
  readonly verdict: Verdict
  /** Wall clock, milliseconds since 1970. */
  readonly at: number
}

/** A check's last word and counters, on demand. */
export interface Figures {
  readonly id: string
  readonly up: boolean
  /** Failures counted and forgiven so far while up. */
  readonly failures: number
  readonly last: (Verdict & { readonly at: number }) | undefined
  readonly probes: number
  readonly failed: number
  /** Probes that started late by more than 50 ms. */
  readonly late: number
  /** A probe is under way, or when the next one is due (milliseconds from now). */
  readonly nextIn: Millis | undefined
  /** How long its probes took, but those that failed for reasons of our own; absent where nothing is probed. */
  readonly durations?: Durations
}

/**
 * Something that runs checks: the engine in this process, or a fleet of prober processes; both pass
 * `testing/prober-contract.ts`.
 */
export interface Prober {
  /** The checks to run from now on. Checks whose id stays keep their state and timers; the rest start or stop. */
  setChecks(checks: readonly Check[]): void
  /** The same, said by what is different: `gone` end, `come` start unless they run already. */
  changeChecks(gone: readonly string[], come: readonly Check[]): void
  /** Files that checks read (certificates) are read anew; by `setChecks`, too. */
  rereadFiles(): void
  figures(ids?: readonly string[]): Promise<readonly Figures[]>
  /** Ends every probe and script under way and releases everything. */
  stop(): Promise<void>
}

export interface ProberEvents {
  report(report: Report): void
  /** Our own failure that keeps checks from running (descriptors, a prober process that died and was restarted). */
  trouble(message: string): void
}

/** How long a change of a server takes to be acted on, at the longest; docs/checkers.md has the formulas. */
export interface Delays {
  /** From failure to down, where the server refuses at once; infinite where the check does not see that. */
  readonly refused: Millis
  /** From failure to down, where what is sent to the server is never answered; infinite where the check does not see that. */
  readonly silent: Millis
  /** From recovery to up. */
  readonly recovered: Millis
  /** Good probes in a row that it takes to be up again. */
  readonly successes: number
}

import type {
  Block,
  CheckConnection,
  CheckerBlock,
  CheckTiming,
  Fields,
  OwnOptions,
  Surroundings,
} from '@ipvs-director/config'
import { millis, seconds, type Clock, type Millis } from '@ipvs-director/core'
import type { Attempt } from './attempt.ts'
import type { Delays } from './checker.ts'
import { commonHealth, eventHealth, oneCourse, type Course, type HealthMachine } from './health.ts'
import type { Opening, ProbeIo } from './io/port.ts'
import type { Finding } from './verdict.ts'

/** One execution of a check. */
export interface Probe<O> {
  readonly options: O
  /** Which part of the check (which url) it is about, from 0. */
  readonly part: number
  /** As the check's timing has it: connect_timeout, or what the checker has instead. */
  readonly timeout: Millis
  readonly attempt: Attempt
  readonly io: ProbeIo
}

/** A check that is told of changes instead of looking for them. */
export interface Watch<O> {
  readonly options: O
  readonly clock: Clock
  readonly io: ProbeIo
  /** What is the case now. The first is told as soon as it is known, the others when something changes. */
  readonly tell: (finding: Finding) => void
}

/** A way to fail that a check takes for success: the server refuses, or does not answer. */
export type Unseen = 'refused' | 'silent'

/** What all checkers have in common once defined; options are plain data here. */
export interface Checker extends CheckerBlock {
  /** How its verdicts become up and down. */
  readonly health: HealthMachine
  /** The next interval runs from the end of a probe, or from its start (MISC_CHECK). */
  readonly interval: 'end' | 'start'
  /** It needs what only the director has (users, files, scripts), so it never runs in a prober process. */
  readonly local: boolean
  /** The absolute time of one probe, however many steps it has. */
  deadline(timing: CheckTiming): Millis
  course(options: Readonly<Record<string, unknown>>): Course
  /** How it asks, where all of that is known before: then that is done in place of a probe of its own. */
  opens(options: Readonly<Record<string, unknown>>): Opening | undefined
  probe(probe: Probe<Readonly<Record<string, unknown>>>, connection: CheckConnection | undefined): Promise<Finding>
  /** In place of probes and their times: watches until the answered function is called. */
  readonly watch?: (watch: Watch<Readonly<Record<string, unknown>>>) => () => void
  /** Failures that it does not see. */
  unseen(options: Readonly<Record<string, unknown>>): readonly Unseen[]
  /** How long a change takes to be told by {@link Checker.watch}. */
  watchDelays?(options: Readonly<Record<string, unknown>>): Delays
}

/** A checker as it is written down: what differs from a TCP connect. */
interface Common<F extends Fields, P extends object> {
  /** The block's keyword and its own options, with `connection` and `timing` where it takes them. */
  readonly block: Block<F>
  readonly defaults: CheckerBlock['defaults']
  /** See {@link CheckerBlock.others}. */
  readonly others?: keyof F & string
  readonly health?: HealthMachine
  readonly interval?: 'end' | 'start'
  readonly local?: boolean
  readonly deadline?: (timing: CheckTiming) => Millis
  readonly course?: (options: P) => Course
  /** See {@link Checker.opens}. Default: it never does. */
  readonly opens?: (options: P) => Opening | undefined
  /** Default: it sees both. */
  readonly unseen?: (options: P) => readonly Unseen[]
  /** See {@link CheckerBlock.complete}. Without it `P` is the block's own options. */
  readonly complete?: (
    options: OwnOptions<F>,
    around: Surroundings,
  ) => { readonly options: P; readonly timeout?: Millis }
}

/** A checker that opens a connection to the server. */
interface Network<F extends Fields, P extends object> extends Common<F, P> {
  readonly probe: (probe: Probe<P>, at: CheckConnection) => Promise<Finding>
}

/** A checker that does not. */
interface Other<F extends Fields, P extends object> extends Common<F, P> {
  readonly probe: (probe: Probe<P>) => Promise<Finding>
}

/**
 * A checker in one object: its keywords, defaults, health machine and probe. `P` is what the probe gets as options:
 * what `complete` answers, or the block's own options as they are read.
 */
export function defineChecker<F extends Fields, P extends object = OwnOptions<F>>(definition: Network<F, P>): Checker {
  return define(definition, true, (probe, connection) => {
    if (connection === undefined) throw new TypeError(`${definition.block.name} needs a connection`)
    return definition.probe(probe, connection)
  })
}

/** Like {@link defineChecker}, for a checker that connects nowhere by itself (a script, a file). */
export function defineLocalChecker<F extends Fields, P extends object = OwnOptions<F>>(
  definition: Other<F, P>,
): Checker {
  return define(definition, false, (probe) => definition.probe(probe))
}

/** A checker that watches something instead of probing (a file, a BFD session): it has no timing of its own. */
export function defineWatchingChecker<F extends Fields, P extends object = OwnOptions<F>>(
  definition: Pick<Common<F, P>, 'block' | 'local' | 'complete'> & {
    readonly watch: (watch: Watch<P>) => () => void
    readonly delays: (options: P) => Delays
  },
): Checker {
  const { watch, delays, ...common } = definition
  const defaults = { retry: 0, delayBeforeRetry: seconds(1) }
  const never = (): never => {
    throw new TypeError(`${definition.block.name} watches and is not probed`)
  }
  return {
    ...define({ ...common, defaults, health: eventHealth, deadline: () => millis(0) }, false, never),
    watch: (given) => watch(given as unknown as Watch<P>),
    watchDelays: (options) => delays(options as P),
  }
}

function define<F extends Fields, P extends object>(
  definition: Common<F, P>,
  connection: boolean,
  probe: (probe: Probe<P>, connection: CheckConnection | undefined) => Promise<Finding>,
): Checker {
  const { block, defaults, others, health, interval, local, deadline, course, opens, unseen, complete } = definition
  return {
    keyword: block.name,
    block: block as Block,
    connection,
    defaults,
    ...(others === undefined ? {} : { others }),
    ...(complete === undefined ? {} : { complete: (options, around) => complete(options as OwnOptions<F>, around) }),
    health: health ?? commonHealth,
    interval: interval ?? 'end',
    local: local ?? false,
    deadline: deadline ?? ((timing) => timing.timeout),
    course: (options) => course?.(options as P) ?? oneCourse,
    opens: (options) => opens?.(options as P),
    unseen: (options) => unseen?.(options as P) ?? [],
    probe: (given, at) => probe(given as unknown as Probe<P>, at),
  }
}

import type { Address, Millis } from '@ipvs-director/core'
import type { Block, BlockValues, Fields } from './declare.ts'
import type { connection, dataPath, timing } from './grammar/timing.ts'
import type { bfdInstance, trackFile } from './grammar/trackers.ts'

/** The options of a checker that are its own: without those every checker has, which `timing` and `connection` hold. */
export type OwnOptions<F extends Fields> = Omit<
  BlockValues<F>,
  keyof typeof timing | keyof typeof connection | keyof typeof dataPath
>

/** What checkers may refer to by name. */
export interface Definitions {
  readonly track_file: BlockValues<(typeof trackFile)['fields']>
  readonly bfd_instance: BlockValues<(typeof bfdInstance)['fields']>
}

/** Says what is wrong with a block, at one of its keywords or where it begins. */
export interface Reports {
  /** The check cannot be made: the virtual server is taken out. */
  error(text: string, keyword?: string): void
  warning(text: string, keyword?: string): void
}

/** What stands around a checker, for options that fall back on it. */
export interface Surroundings extends Reports {
  readonly realServer: {
    readonly address: Address
    readonly port: number
    readonly weight: number
    readonly virtualhost: string | undefined
  }
  readonly virtualServer: { readonly virtualhost: string | undefined; readonly delayLoop: Millis }
  /** The top-level `SSL { }` block: files and password for client certificates. */
  readonly ssl:
    | { readonly password?: string; readonly ca?: string; readonly certificate?: string; readonly key?: string }
    | undefined
  /** The check has `data_path`. */
  readonly dataPath: boolean
  /** The top-level block of that kind and name, wherever in the file it stands. */
  definition<K extends keyof Definitions>(kind: K, name: string): Definitions[K] | undefined
  /** The same of a block in this one: the nth, from 0, of those that one of its fields holds. */
  inside(field: string, nth: number): Reports
}

/**
 * What this package needs to know of a checker to read its block. `packages/checkers` hands a list of them to
 * `loadConfig`; their options come back as plain data in `CheckerConfig.options`, typed by `OwnOptions`.
 */
export interface CheckerBlock<F extends Fields = Fields> {
  /** The block's keyword, for example TCP_CHECK. */
  readonly keyword: string
  readonly block: Block<F>
  /** Whether it connects to the real server itself (its block has the `connection` keywords). */
  readonly connection: boolean
  /** Its field of blocks with connection keywords of their own, each of which is one check more (SMTP_CHECK's `host`). */
  readonly others?: string
  /** Built-in values where neither checker, real server nor virtual server says any (reference/checkers.md §1). */
  readonly defaults: { readonly retry: number; readonly delayBeforeRetry: Millis | 'delayLoop' }
  /**
   * Fills in what depends on the surroundings and checks the options together. Answers the options as the probe gets
   * them, and the timeout where it is not connect_timeout. Reports through `around`. Absent: the options as written.
   */
  complete?(options: OwnOptions<F>, around: Surroundings): { readonly options: object; readonly timeout?: Millis }
}

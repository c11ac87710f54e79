import type { ProbingNeeds } from './model.ts'

/** How a configuration file is read. */
export interface ReadSettings {
  /** What `@ID` lines compare with; the host name up to its first dot where undefined. */
  readonly configId: string | undefined
  /** Warnings are errors. */
  readonly strict: boolean
}

/** A remark about a configuration, for programs. Line and column count from 1. */
export interface ConfigRemark {
  readonly code: string
  readonly severity: 'error' | 'warning' | 'note'
  readonly text: string
  readonly place: ConfigPlace
  readonly excerpt?: string
  readonly suggestion?: string
  readonly related?: readonly { readonly place: ConfigPlace; readonly text: string }[]
}

export interface ConfigPlace {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly length?: number
}

/** What reading a configuration file came to, as `ipvs-ctl check` shows it. */
export interface CheckedConfig {
  readonly errors: number
  readonly warnings: number
  /** Rendered: place, text, excerpt, suggestion. Errors first. */
  readonly diagnostics: readonly string[]
  /** The same in the same order, as data. */
  readonly remarks: readonly ConfigRemark[]
  /** Blocks that are not in `config` because of errors, as their first lines name them. */
  readonly leftOut: readonly string[]
  /** The effective configuration as plain JSON data, secrets left out; undefined where there is none for errors. */
  readonly config: unknown
  /** What it would take on this machine, with the limits of who asks; missing: it cannot be used. */
  readonly probing?: ProbingNeeds | undefined
  readonly counts: {
    readonly vrrpInstances: number
    readonly virtualServers: number
    readonly realServers: number
    readonly checkers: number
  }
}

/** A configuration in both spellings, minimal: what equals its default is left out. */
export interface ConvertedConfig {
  readonly json: unknown
  readonly conf: string
  readonly errors: number
  /** The spelling to print where none is named, when it is not simply the other one: the file was ldirectord's. */
  readonly usual?: 'json' | 'conf'
  /** Rendered. */
  readonly diagnostics: readonly string[]
}

/** What a code of a remark means. */
export interface CodeExplanation {
  readonly code: string
  readonly severity: 'error' | 'warning' | 'note'
  readonly title: string
  /** What `keepalived -t` makes of the same. */
  readonly keepalived: string
  readonly doc: string
}

/** What can be done with configuration files without a director. */
export interface ConfigTools {
  check(file: string, settings: ReadSettings): Promise<CheckedConfig>
  /** `withoutSecrets`: `***` stands for each of them. */
  convert(
    file: string,
    settings: Pick<ReadSettings, 'configId'> & { readonly withoutSecrets: boolean },
  ): Promise<ConvertedConfig>
  /** The text in its usual looks; undefined when its braces do not match. */
  format(text: string): string | undefined
  /** Undefined: there is no such code. */
  explain(code: string): CodeExplanation | undefined
  /** Every code there is. */
  codes(): readonly string[]
}

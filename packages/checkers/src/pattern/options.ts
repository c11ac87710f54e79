/** keepalived's `regex_options`: PCRE2 flags by name. */
export const regexOptions = [
  'allow_empty_class',
  'alt_bsux',
  'auto_callout',
  'caseless',
  'dollar_endonly',
  'dotall',
  'dupnames',
  'extended',
  'firstline',
  'match_unset_backref',
  'multiline',
  'never_ucp',
  'never_utf',
  'no_auto_capture',
  'no_auto_possess',
  'no_dotstar_anchor',
  'no_start_optimize',
  'ucp',
  'ungreedy',
  'utf',
  'never_backslash_c',
  'alt_circumflex',
  'alt_verbnames',
  'use_offset_limit',
] as const

/** A regex as configured. */
export interface Pattern {
  readonly source: string
  /** Names out of {@link regexOptions}; others are without effect. */
  readonly options: readonly string[]
}

/** Where something stands in a file; line and column count from 1. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Characters to underline. */
  readonly length?: number
}

/** A command line to run: already split into words, with the user and group it runs as (names as written). */
export interface Script {
  readonly words: readonly string[]
  readonly user?: string
  readonly group?: string
  readonly place: Place
}

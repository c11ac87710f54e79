import type { Json, Kind } from './kind.ts'

/** A part of a line that has several: its place in the line, or the word that introduces it. */
export type Part<T, R extends boolean = boolean> =
  | { readonly at: 'first'; readonly kind: Kind<T>; readonly optional: boolean; readonly required: R }
  | { readonly at: 'option'; readonly words: readonly string[]; readonly kind: Kind<T>; readonly required: R }
  | { readonly at: 'flag'; readonly words: readonly string[]; readonly required: R }
  | { readonly at: 'choice'; readonly words: readonly string[]; readonly required: R }

/** A value at a fixed place at the start of the line. */
export const first = <T>(kind: Kind<T>): Part<T, true> => ({ at: 'first', kind, optional: false, required: true })

/** Like {@link first}, but may be left out: it is not read where the next word introduces an option. */
export const maybe = <T>(kind: Kind<T>): Part<T, false> => ({ at: 'first', kind, optional: true, required: false })

/** A value after the word that introduces it (several spellings), anywhere after the first parts. */
export const option = <T>(words: string | readonly string[], kind: Kind<T>): Part<T, false> => ({
  at: 'option',
  words: typeof words === 'string' ? [words] : words,
  kind,
  required: false,
})

/** A word that is there or not. */
export const mark = (...words: readonly string[]): Part<boolean, false> => ({ at: 'flag', words, required: false })

/** One of a few words, or none of them. */
export const choice = <const C extends string>(...words: readonly C[]): Part<C, false> => ({
  at: 'choice',
  words,
  required: false,
})

export type Parts = Readonly<Record<string, Part<unknown>>>

/** The value of a phrase: one property for each part; undefined where an optional one is not written. */
export type Phrase<P extends Parts> = {
  readonly [K in keyof P]: P[K] extends Part<infer T, infer R> ? (R extends true ? T : T | undefined) : never
}

/**
 * A line of several parts: `IF [weight N] [reverse]`. The property names are those of the JSON spelling. Words that
 * belong to no part are left over, which the reader remarks on.
 */
export function phraseKind<P extends Parts>(parts: P, syntax: string): Kind<Phrase<P>> {
  const all = Object.entries(parts)
  const introduced = new Map(
    all.flatMap(([key, part]) => (part.at === 'first' ? [] : part.words.map((word) => [word, { key, part }] as const))),
  )
  return {
    syntax,
    range: '',
    read(words) {
      const value: Record<string, unknown> = {}
      for (const [key, part] of all) {
        if (part.at !== 'first') continue
        const next = words.peek()
        if (part.optional && (next === undefined || introduced.has(next))) continue
        const read = part.kind.read(words)
        if (read === undefined) return undefined
        value[key] = read
      }
      for (let next = words.peek(); next !== undefined; next = words.peek()) {
        const known = introduced.get(next)
        if (known === undefined) break
        words.take()
        if (known.part.at === 'flag') value[known.key] = true
        else if (known.part.at === 'choice') value[known.key] = next
        else {
          const read = known.part.kind.read(words)
          if (read === undefined) return undefined
          value[known.key] = read
        }
      }
      return value as Phrase<P>
    },
    toJson(value) {
      const json: Record<string, Json> = {}
      for (const [key, part] of all) {
        const given = (value as Record<string, unknown>)[key]
        if (given === undefined || (part.at === 'flag' && given === false)) continue
        json[key] = part.at === 'first' || part.at === 'option' ? part.kind.toJson(given) : (given as Json)
      }
      return json
    },
    words(json) {
      const given = json as { readonly [key: string]: Json }
      return all.flatMap(([key, part]) => {
        const own = given[key]
        if (own === undefined) return []
        if (part.at === 'first') return part.kind.words(own)
        if (part.at === 'flag') return own === true ? [part.words[0] ?? ''] : []
        if (part.at === 'choice') return [String(own)]
        return [part.words[0] ?? '', ...part.kind.words(own)]
      })
    },
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        all.map(([key, part]) => [
          key,
          part.at === 'flag' ? { type: 'boolean' } : part.at === 'choice' ? { enum: part.words } : part.kind.schema,
        ]),
      ),
      required: all.filter(([, part]) => part.required).map(([key]) => key),
      additionalProperties: false,
    },
  }
}

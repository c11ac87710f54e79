import { type Json, type Kind, type WordReader, wordOf } from './kind.ts'

/** A part of a line that has several: its place in the line, or the words that introduce it. */
export type Part<T, R extends boolean = boolean> = (
  | { readonly at: 'first'; readonly kind: Kind<T>; readonly optional: boolean }
  | { readonly at: 'bare'; readonly words: readonly string[]; readonly kind: Kind<T>; readonly looks: RegExp }
  | { readonly at: 'option'; readonly words: readonly string[]; readonly kind: Kind<T> }
  | { readonly at: 'many'; readonly words: readonly string[]; readonly kind: Kind<unknown> }
  | { readonly at: 'flag'; readonly words: readonly string[] }
  | { readonly at: 'choice'; readonly words: readonly string[] }
) & { readonly required: R; readonly typed?: () => T }

const list = (words: string | readonly string[]): readonly string[] => (typeof words === 'string' ? [words] : words)

/** A value at a fixed place at the start of the line. */
export const first = <T>(kind: Kind<T>): Part<T, true> => ({ at: 'first', kind, optional: false, required: true })

/** Like {@link first}, but may be left out: it is not read where the next word introduces an option. */
export const maybe = <T>(kind: Kind<T>): Part<T, false> => ({ at: 'first', kind, optional: true, required: false })

/** A value anywhere in the line that nothing introduces (or one of `words`), known by its looks. */
export const bare = <T>(kind: Kind<T>, looks: RegExp, words: string | readonly string[] = []): Part<T, false> => ({
  at: 'bare',
  words: list(words),
  kind,
  looks,
  required: false,
})

/** A value after the word that introduces it (several spellings), anywhere after the first parts. */
export const option = <T>(words: string | readonly string[], kind: Kind<T>): Part<T, false> => ({
  at: 'option',
  words: list(words),
  kind,
  required: false,
})

/** Like {@link option}, and may come again and again. */
export const many = <T>(word: string, kind: Kind<T>): Part<readonly T[], false> => ({
  at: 'many',
  words: [word],
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

/** The value of a phrase: one property for each part; an optional one that is not written is not there. */
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
  const bares = all.filter((entry): entry is [string, Extract<Part<unknown>, { at: 'bare' }>] => entry[1].at === 'bare')
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
      while (words.left > 0) {
        const next = words.peek() ?? ''
        const known = introduced.get(next)
        if (known !== undefined) words.take()
        const unnamed =
          known === undefined
            ? bares.find(([key, part]) => value[key] === undefined && part.looks.test(next))
            : undefined
        const [key, part] = known === undefined ? (unnamed ?? []) : [known.key, known.part]
        if (key === undefined || part === undefined) break
        if (!readPart(key, part, next, words, value)) return undefined
      }
      return value as Phrase<P>
    },
    toJson(value) {
      const json: Record<string, Json> = {}
      for (const [key, part] of all) {
        const given = (value as Record<string, unknown>)[key]
        if (given === undefined || (part.at === 'flag' && given === false)) continue
        json[key] =
          part.at === 'flag' || part.at === 'choice'
            ? (given as Json)
            : part.at === 'many'
              ? (given as readonly unknown[]).map((each) => part.kind.toJson(each))
              : part.kind.toJson(given)
      }
      return json
    },
    words(json) {
      const given = json as { readonly [key: string]: Json }
      return all.flatMap(([key, part]): readonly string[] => {
        const own = given[key]
        if (own === undefined) return []
        const word = part.at === 'first' ? '' : (part.words[0] ?? '')
        switch (part.at) {
          case 'first':
            return part.kind.words(own)
          case 'bare':
            return word === '' ? part.kind.words(own) : [word, ...part.kind.words(own)]
          case 'flag':
            return own === true ? [word] : []
          case 'choice':
            return [wordOf(own)]
          case 'many':
            return (own as readonly Json[]).flatMap((each) => [word, ...part.kind.words(each)])
          case 'option':
            return [word, ...part.kind.words(own)]
        }
      })
    },
    schema: {
      type: 'object',
      properties: Object.fromEntries(all.map(([key, part]) => [key, schemaOf(part)])),
      required: all.filter(([, part]) => part.required).map(([key]) => key),
      additionalProperties: false,
    },
  }
}

/** Reads what a part has after its word; false after an error. */
function readPart(
  key: string,
  part: Part<unknown>,
  word: string,
  words: WordReader,
  value: Record<string, unknown>,
): boolean {
  if (part.at === 'flag') value[key] = true
  else if (part.at === 'choice') value[key] = word
  else {
    const read = part.kind.read(words)
    if (read === undefined) return false
    value[key] = part.at === 'many' ? [...((value[key] as readonly unknown[] | undefined) ?? []), read] : read
  }
  return true
}

function schemaOf(part: Part<unknown>): Json | object {
  if (part.at === 'flag') return { type: 'boolean' }
  if (part.at === 'choice') return { enum: part.words }
  return part.at === 'many' ? { type: 'array', items: part.kind.schema } : part.kind.schema
}

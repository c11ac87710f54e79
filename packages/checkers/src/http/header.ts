import type { Kind } from '@ipvs-director/config'

/** RFC 9110 §5.1 and §5.5: a token, a colon, and text without control characters. */
const header = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*[\t\x20-\x7e\x80-\xff]*$/

/** What the request already has, by its own keywords or by its form. */
const ours = /^(?:host|connection|content-length|transfer-encoding)$/i

/** One header; its value is a list of one, so that repeated lines add up. */
export const headerKind: Kind<readonly string[]> = {
  syntax: '"NAME: VALUE"',
  range: '',
  read(words) {
    const text = words.take()
    if (text === undefined) {
      words.missing('a header ("Name: value")')
      return undefined
    }
    if (header.test(text) && !ours.test(nameOf(text))) return [text]
    words.bad(
      'E022',
      ours.test(nameOf(text)) ? `${nameOf(text)} is set by the checker itself` : `"${text}" is not a header`,
    )
    return undefined
  },
  toJson: (headers) => headers,
  words: (json) => json as readonly string[],
  schema: { type: 'array', minItems: 1, items: { type: 'string', pattern: header.source } },
}

const nameOf = (text: string): string => text.split(':', 1)[0] ?? ''

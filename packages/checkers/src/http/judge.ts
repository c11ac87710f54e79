import { matcherOf } from '../pattern/match.ts'
import type { Fault } from '../verdict.ts'
import { unexpected } from './expectations.ts'
import type { HttpUrl } from './options.ts'
import type { BodyWishes, ReplyReader } from './reply.ts'
import { accepts, formatStatus } from './status.ts'

export const wishesOf = ({ digest, regex, expectHeaders, expectJson }: HttpUrl): BodyWishes => ({
  digest: digest !== undefined,
  search: regex !== undefined || expectJson !== undefined,
  headers: expectHeaders !== undefined || expectJson !== undefined,
})

/** keepalived's order: was there an answer, its status, its digest, its text; then our own. */
export function faultOf(url: HttpUrl, reply: ReplyReader): Fault | undefined {
  if (!reply.complete) return { class: 'protocol', text: 'closed before a whole header was sent' }
  const text = mismatchOf(url, reply)
  return text === undefined ? undefined : { class: 'mismatch', text }
}

function mismatchOf(url: HttpUrl, reply: ReplyReader): string | undefined {
  if (!accepts(url.status, reply.status)) return `got ${reply.status}, wanted ${formatStatus(url.status)}`
  if (url.digest !== undefined) {
    const digest = reply.digest()
    if (digest !== url.digest) return `got digest ${digest}, wanted ${url.digest}`
  }
  if (url.regex !== undefined) {
    const { noMatch, min, max } = url.regex
    const found = matcherOf(url.regex).search(reply.body(), { min, max })
    if (found === 'tooSlow') return 'the regex took too long to search the body'
    if ((found === 'found') === noMatch) return `the body ${noMatch ? 'matches' : 'does not match'} the regex`
  }
  return unexpected(url, reply)
}

import { type Address, familyOf, type Family, type Millis, parseAddress } from '@ipvs-director/core'
import { type Json, type Kind, wordOf } from './kind.ts'
import { closest } from './suggest.ts'

/** Kinds of values that many keywords share. Every one is a value or a function from its limits to a {@link Kind}. */

/** Limits of an integer; `clamp`: out of range is a warning and the nearest number is used. */
export interface IntegerLimits {
  readonly min?: number
  readonly max?: number
  readonly clamp?: boolean
  /** Zero is allowed whatever `min` says. */
  readonly orZero?: boolean
}

/** Limits of a time, in seconds. */
export interface DurationLimits {
  readonly min?: number
  readonly max?: number
  /** Digits kept after the point; more are rounded, with a warning. Default 6. */
  readonly decimals?: number
  /** Zero is allowed whatever `min` says. */
  readonly orZero?: boolean
}

/** Limits of a text; `pattern` is anchored by its author, `what` names what is wanted ("an interface name"). */
export interface TextLimits {
  readonly maxLength?: number
  readonly pattern?: RegExp
  readonly what?: string
  readonly syntax?: string
}

export interface CaseRule {
  readonly ignoreCase?: boolean
}

const zeroIsOff = '0 is taken as "off"; keepalived reports it and ignores the line'

const decimal = /^[+-]?\d+$/

/** A decimal integer (keepalived's INT and UINT: no other base, nothing after the digits). */
export function integerKind(limits: IntegerLimits = {}): Kind<number> {
  const { min = -(2 ** 31), max = 2 ** 32 - 1, clamp = false, orZero = false } = limits
  const range = `${orZero ? '0 or ' : ''}${min} to ${max}`
  const inRange = { type: 'integer', minimum: min, maximum: max }
  return {
    syntax: 'N',
    range,
    read(words) {
      const word = words.take()
      if (word === undefined) return words.missing(`a number (${range})`)
      if (!decimal.test(word)) return words.bad('E020', `"${word}" is not a whole number`, leadingNumber(word))
      const value = Number(word)
      if (value >= min && value <= max) return value
      if (orZero && value === 0) {
        words.warn('N010', zeroIsOff)
        return 0
      }
      if (!clamp) return words.bad('E021', `${word} is out of range (${range})`)
      const nearest = value < min ? min : max
      words.warn('W021', `${word} is out of range (${range}); ${nearest} is used`, String(nearest))
      return nearest
    },
    toJson: (value) => value,
    words: (json) => [wordOf(json)],
    schema: orZero ? { anyOf: [{ const: 0 }, inRange] } : inRange,
  }
}

const leadingNumber = (word: string): string | undefined => /^\d+(?=\D)/.exec(word)?.[0]

/** Seconds with at most six decimals (keepalived's TIMER); limits in seconds, the value in milliseconds. */
export function durationKind(limits: DurationLimits = {}): Kind<Millis> {
  const { min = 0, max = 4294, decimals = 6, orZero = false } = limits
  const range = `${orZero && min > 0 ? '0 or ' : ''}${plain(min)} to ${plain(max)} s`
  const inRange = { type: 'number', minimum: min, maximum: max }
  return {
    syntax: 'SECONDS',
    range,
    read(words) {
      const word = words.take()
      if (word === undefined) return words.missing(`a time in seconds (${range})`)
      const match = /^\+?(\d*)(?:\.(\d*))?$/.exec(word)
      if (match === null || (match[1] === '' && (match[2] ?? '') === '')) {
        if (/^-\d/.test(word)) return words.bad('E021', `${word} is out of range (${range})`)
        return words.bad('E020', `"${word}" is not a number of seconds`, leadingNumber(word))
      }
      if ((match[2]?.length ?? 0) > decimals)
        words.warn('W022', `${word} has more than ${decimals} decimals; it is rounded`)
      const value = Number(Number(`${match[1] ?? ''}.${match[2] ?? ''}0`).toFixed(decimals))
      if (orZero && value === 0 && min > 0) words.warn('N010', zeroIsOff)
      if ((value >= min && value <= max) || (orZero && value === 0)) return toMillis(value)
      return words.bad('E021', `${word} is out of range (${range})`)
    },
    toJson: (value) => Number((value / 1000).toFixed(6)),
    words: (json) => [plain(Number(json))],
    schema: orZero && min > 0 ? { anyOf: [{ const: 0 }, inRange] } : inRange,
  }
}

/** Seconds to milliseconds without the dust of binary fractions: microseconds are whole. */
const toMillis = (value: number): Millis => (Math.round(value * 1e6) / 1000) as Millis

/** A number as decimal digits, never with an exponent. */
const plain = (value: number): string => {
  const text = String(value)
  return text.includes('e') ? value.toFixed(6).replace(/\.?0+$/, '') : text
}

/** What can be written between double quotes. */
const writable = '^[^"\\u0000-\\u001f\\u007f]*$'

/** One word; `pattern` (anchored) with `what` says which words are right. */
export function textKind(limits: TextLimits = {}): Kind<string> {
  const { maxLength, pattern, what = 'a word', syntax = 'TEXT' } = limits
  return {
    syntax,
    range: maxLength === undefined ? '' : `at most ${maxLength} characters`,
    read(words) {
      const word = words.take()
      if (word === undefined) return words.missing(what)
      if (maxLength !== undefined && word.length > maxLength)
        return words.bad('E023', `"${word}" is longer than ${maxLength} characters`)
      if (pattern !== undefined && !pattern.test(word)) return words.bad('E022', `"${word}" is not ${what}`)
      return word
    },
    toJson: (value) => value,
    words: (json) => [wordOf(json)],
    schema: {
      type: 'string',
      ...(maxLength === undefined ? {} : { maxLength }),
      pattern: pattern?.source ?? writable,
    },
  }
}

/** One of a few words, as written in `choices`; with `ignoreCase` any case is read. */
export function choiceKind<const C extends string>(choices: readonly C[], options: CaseRule = {}): Kind<C> {
  const range = choices.join(', ')
  const byText = new Map<string, C>(
    choices.map((choice) => [options.ignoreCase === true ? choice.toLowerCase() : choice, choice]),
  )
  return {
    syntax: choices.length <= 4 ? choices.join('|') : 'NAME',
    range,
    read(words) {
      const word = words.take()
      if (word === undefined) return words.missing(`one of ${range}`)
      const choice = byText.get(options.ignoreCase === true ? word.toLowerCase() : word)
      return choice ?? words.bad('E024', `"${word}" is not one of ${range}`, closest(word, choices))
    },
    toJson: (value) => value,
    words: (json) => [wordOf(json)],
    schema: { enum: choices },
  }
}

/** keepalived's BOOL: on, true, yes or off, false, no, case sensitive. */
export const booleanKind: Kind<boolean> = {
  syntax: 'BOOL',
  range: 'on, true, yes, off, false, no',
  read(words) {
    const word = words.take()
    if (word === undefined) return words.missing('on or off')
    if (word === 'on' || word === 'true' || word === 'yes') return true
    if (word === 'off' || word === 'false' || word === 'no') return false
    return words.bad(
      'E025',
      `"${word}" is not on, true, yes, off, false or no`,
      closest(word.toLowerCase(), ['on', 'true', 'yes', 'off', 'false', 'no']),
    )
  },
  toJson: (value) => value,
  words: (json) => [json === true ? 'on' : 'off'],
  schema: { type: 'boolean' },
}

const anyAddressSchema = { type: 'string', anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] }

/** A numeric IPv4 or IPv6 address (names are never looked up); `family` restricts it. */
export function addressKind(limits: { readonly family?: Family } = {}): Kind<Address> {
  const { family } = limits
  const what = family === 'inet' ? 'an IPv4 address' : family === 'inet6' ? 'an IPv6 address' : 'an IP address'
  return {
    syntax: 'ADDR',
    range: family === undefined ? '' : what,
    read(words) {
      const word = words.take()
      if (word === undefined) return words.missing(what)
      const address = parseAddress(word)
      if (address === undefined) return words.bad('E026', `"${word}" is not ${what}`, repairAddress(word))
      return family === undefined || familyOf(address) === family
        ? address
        : words.bad('E026', `${word} is not ${what}`)
    },
    toJson: (value) => value,
    words: (json) => [wordOf(json)],
    schema: family === undefined ? anyAddressSchema : { type: 'string', format: family === 'inet' ? 'ipv4' : 'ipv6' },
  }
}

/** What was probably meant by a damaged address: `224.0_0.18`, `010.0.0.1`, `10.0.0,1`, `fe80::1%eth0`. */
function repairAddress(word: string): string | undefined {
  const tried = word
    .replace(/%.*/, '')
    .replace(/[_,;]/g, '.')
    .replace(/\.{2,}/g, '.')
    .replace(/\.$/, '')
    .replace(/\b0+(?=\d)/g, '')
  return tried !== word && parseAddress(tried) !== undefined ? tried : undefined
}

/** All the words that are left, at least `min` of them. */
export function wordsKind(
  limits: { readonly min?: number; readonly max?: number; readonly what?: string } = {},
): Kind<readonly string[]> {
  const { min = 1, max = Infinity, what = 'a word' } = limits
  return {
    syntax: 'WORD…',
    range: '',
    read(words) {
      const all: string[] = []
      while (words.left > 0 && all.length < max) all.push(words.take() ?? '')
      return all.length >= min ? all : words.missing(what)
    },
    toJson: (value) => value,
    words: (json) => (json as readonly Json[]).map(String),
    schema: {
      type: 'array',
      items: { type: 'string', pattern: writable },
      minItems: min,
      ...(max === Infinity ? {} : { maxItems: max }),
    },
  }
}

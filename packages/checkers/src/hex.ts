import type { Kind } from '@ipvs-director/config'

/** Bytes to compare with: where a half of `mask` is 0, that half byte may be anything. Both as hexadecimal text. */
export interface HexPattern {
  readonly bytes: string
  readonly mask: string
}

/**
 * keepalived's hexadecimal data (UDP_CHECK): pairs of digits, blanks between bytes allowed, a single digit before a
 * blank is a byte of its own. With `wild`, x and X stand for any half byte.
 */
export function readHex(text: string, wild: boolean): HexPattern | undefined {
  const digit = wild ? /^[0-9a-fA-FxX]+$/ : /^[0-9a-fA-F]+$/
  let bytes = ''
  let mask = ''
  for (const group of text.split(/[ \t]+/).filter((part) => part !== '')) {
    if (!digit.test(group)) return undefined
    const whole = group.length === 1 ? `0${group}` : group
    if (whole.length % 2 === 1) return undefined
    bytes += whole.toLowerCase().replaceAll('x', '0')
    mask += whole.replace(/[^xX]/g, 'f').replace(/[xX]/g, '0')
  }
  return { bytes, mask }
}

/** All the words of the line as one text of hexadecimal digits. */
export function hexKind(wild: boolean): Kind<string> {
  return {
    syntax: 'HEX…',
    range: wild ? 'pairs of hexadecimal digits; x stands for any digit' : 'pairs of hexadecimal digits',
    read(words) {
      const parts: string[] = []
      while (words.left > 0) parts.push(words.take() ?? '')
      const text = parts.join(' ')
      if (parts.length === 0) {
        words.missing('hexadecimal digits')
        return undefined
      }
      if (readHex(text, wild) !== undefined) return text
      words.bad('E022', `"${text}" is not pairs of hexadecimal digits`)
      return undefined
    },
    toJson: (text) => text,
    words: (json) => (json as string).split(' '),
    schema: { type: 'string', pattern: wild ? '^[0-9a-fA-FxX \\t]*$' : '^[0-9a-fA-F \\t]*$' },
  }
}

/** Whether the first bytes of `data` are those of the pattern, as far as both go. */
export function agrees(data: Uint8Array, { bytes, mask }: HexPattern): boolean {
  const length = Math.min(data.length, bytes.length / 2)
  for (let i = 0; i < length; i++) {
    const wanted = Number.parseInt(bytes.slice(2 * i, 2 * i + 2), 16)
    const counts = Number.parseInt(mask.slice(2 * i, 2 * i + 2), 16)
    if ((((data[i] ?? 0) ^ wanted) & counts) !== 0) return false
  }
  return true
}

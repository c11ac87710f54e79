import type { VrrpHmac } from '@ipvs-director/config'
import { describeError } from '@ipvs-director/core'
import type { VrrpLink } from './link.ts'

/** The secrets of `auth_hmac` by number. A key that cannot be read is left out, and said so: what needs it is then refused. */
export function readKeys(
  hmac: VrrpHmac | undefined,
  link: Pick<VrrpLink, 'readKey'>,
  complain: (text: string) => void,
): ReadonlyMap<number, Uint8Array> {
  const keys = new Map<number, Uint8Array>()
  for (const key of hmac?.keys ?? []) {
    try {
      const secret = 'path' in key ? fromFile(link.readKey(key.path)) : octets(key.secret, key.encoding)
      if (secret.length < 32 || secret.length > 64)
        complain(`auth_hmac key ${key.id} has ${secret.length} bytes, not 32 to 64`)
      else keys.set(key.id, secret)
    } catch (error) {
      complain(`cannot read auth_hmac key ${key.id}: ${describeError(error)}`)
    }
  }
  return keys
}

const octets = (secret: string, encoding: 'text' | 'hex'): Uint8Array =>
  encoding === 'hex' ? Uint8Array.from(Buffer.from(secret, 'hex')) : new TextEncoder().encode(secret)

/** A file holds what the configuration could: text, or `hex:` and digits. */
function fromFile(content: Uint8Array): Uint8Array {
  const text = Buffer.from(content).toString('latin1')
  return text.startsWith('hex:') ? octets(text.slice(4).trim(), 'hex') : content
}

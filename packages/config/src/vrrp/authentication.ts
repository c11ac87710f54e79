import { type Millis, seconds } from '@ipvs-director/core'
import type { GlobalDefsText } from '../grammar/global-defs.ts'
import type { VrrpInstanceText } from '../grammar/vrrp.ts'
import type { HmacKey, VrrpAuth, VrrpHmac } from '../vrrp-config.ts'
import { isStrict, versionOf } from './text.ts'

/** The password of an instance; VRRPv3 and strict mode have none, nor has one whose block is not complete. */
export function resolveAuth(text: VrrpInstanceText, globals: GlobalDefsText | undefined): VrrpAuth | undefined {
  const { authType, authPass } = text.authentication ?? {}
  if (authType === undefined || authPass === undefined) return undefined
  if (text.authHmac !== undefined || versionOf(text, globals) === 3 || isStrict(text, globals)) return undefined
  return { type: authType, password: authPass }
}

/** `auth_hmac`; the window is three intervals, at least 5 s and at most 300 s, where none is given. */
export function resolveHmac(text: VrrpInstanceText, interval: Millis, strict: boolean): VrrpHmac | undefined {
  const given = text.authHmac
  const keys = (given?.keys ?? []).map(({ id, value }) => keyOf(id, value))
  const [first] = keys
  if (given === undefined || first === undefined) return undefined
  return {
    keys,
    activeKey: given.activeKey ?? first.id,
    timeWindow: seconds(given.timeWindow ?? Math.min(300, Math.max(5, (3 * interval) / 1000))),
    antiReplay: given.antiReplay ?? 'time',
    mode: strict ? 'enforce' : (given.mode ?? 'enforce'),
  }
}

function keyOf(id: number, value: string): HmacKey {
  if (value.startsWith('file:')) return { id, path: value.slice('file:'.length) }
  if (value.startsWith('hex:')) return { id, encoding: 'hex', secret: value.slice('hex:'.length) }
  return { id, encoding: 'text', secret: value }
}

/** What is wrong with a key, or undefined: it has 32 to 64 bytes. */
export function keyProblem(value: string): string | undefined {
  const key = keyOf(0, value)
  if ('path' in key) return key.path === '' ? 'file: needs a path' : undefined
  if (key.encoding === 'hex' && !/^(?:[0-9a-fA-F]{2})+$/.test(key.secret))
    return 'hex: needs pairs of hexadecimal digits'
  const bytes = key.encoding === 'hex' ? key.secret.length / 2 : Buffer.byteLength(key.secret)
  return bytes >= 32 && bytes <= 64 ? undefined : `a key has 32 to 64 bytes, this one ${bytes}`
}

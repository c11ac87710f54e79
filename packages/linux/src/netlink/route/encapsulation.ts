/** Tunnels without an interface of their own, as a part of a route (linux/lwtunnel.h, mpls_iptunnel.h, ila.h). */
import { addressBytes, type Address } from '@ipvs-director/core'
import { attributes } from '../attributes.ts'
import { bytes, u8 } from '../codecs.ts'

/** What `ip route` writes behind `encap`. */
export type Encapsulation =
  /** 0 to 1048575 each, the outermost first. */
  | { readonly kind: 'mpls'; readonly labels: readonly number[]; readonly ttl?: number | undefined }
  | {
      readonly kind: 'ip' | 'ip6'
      /** Tunnel key, 64 bits. */
      readonly id?: bigint | undefined
      readonly destination?: Address | undefined
      readonly source?: Address | undefined
      /** Of IPv6 the hop limit. */
      readonly ttl?: number | undefined
      /** Of IPv6 the traffic class. */
      readonly tos?: number | undefined
    }
  /** Eight octets. */
  | { readonly kind: 'ila'; readonly locator: Uint8Array }

const types = { mpls: 1, ip: 2, ila: 3, ip6: 4 } as const

const mpls = attributes({ labels: [1, bytes], ttl: [2, u8] })
const tunnel = attributes({ id: [1, bytes], destination: [2, bytes], source: [3, bytes], ttl: [4, u8], tos: [5, u8] })
const ila = attributes({ locator: [1, bytes] })

/** RTA_ENCAP_TYPE and the content of RTA_ENCAP. */
export function encodeEncapsulation(given: Encapsulation): { type: number; data: Uint8Array } {
  const type = types[given.kind]
  switch (given.kind) {
    case 'mpls':
      return { type, data: mpls.encode({ labels: labelStack(given.labels), ttl: given.ttl }) }
    case 'ila':
      return { type, data: ila.encode({ locator: given.locator }) }
    case 'ip':
    case 'ip6': {
      const { id, destination, source, ttl, tos } = given
      const octets = (address: Address | undefined): Uint8Array | undefined =>
        address === undefined ? undefined : addressBytes(address)
      const key = id === undefined ? undefined : Buffer.alloc(8)
      key?.writeBigUInt64BE(id ?? 0n)
      return {
        type,
        data: tunnel.encode({ id: key, destination: octets(destination), source: octets(source), ttl, tos }),
      }
    }
  }
}

/** RFC 3032 §2.1: label, class 0, bottom of stack on the last, TTL 0. */
function labelStack(labels: readonly number[]): Buffer {
  const stack = Buffer.alloc(labels.length * 4)
  labels.forEach((label, i) =>
    stack.writeUInt32BE(((label << 12) | (i === labels.length - 1 ? 0x100 : 0)) >>> 0, i * 4),
  )
  return stack
}

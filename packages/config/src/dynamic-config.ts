import type { Family, Millis } from '@ipvs-director/core'

/** A line of our own `real_servers_from`. */
export type ServerSource = DnsSource | EtcdSource

interface Anywhere {
  /** Of servers whose source names none; undefined: the virtual server's. For DNS records it counts before theirs. */
  readonly port: number | undefined
  /** Servers above this number are left out. */
  readonly max: number
}

/** `real_servers_from dns NAME`. */
export interface DnsSource extends Anywhere {
  readonly kind: 'dns'
  /** Absolute, without the dot at its end. */
  readonly name: string
  readonly type: 'A' | 'AAAA' | 'SRV'
  /** Of the addresses that names in SRV records are looked up for. */
  readonly family: Family
  /** It is not asked again before, however short the TTL. */
  readonly minTtl: Millis
}

/** `real_servers_from etcd URL prefix KEY`. */
export interface EtcdSource extends Anywhere {
  readonly kind: 'etcd'
  /** Of etcd's JSON gateway, without a slash at its end. */
  readonly url: string
  /** Keys that begin so are servers. */
  readonly prefix: string
}

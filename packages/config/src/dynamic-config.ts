import type { Family, Millis } from '@ipvs-director/core'
import type { RealServer } from './config.ts'

/** Real servers that are not in the file: own extensions `real_servers_from` and `real_server_template`. */
export interface DynamicServers {
  /** At least one, in the order of the file. */
  readonly sources: readonly ServerSource[]
  /**
   * The settings of those servers. Its address is 0.0.0.0 or :: and its port 0, and so are those of the checks that go to
   * the server itself: they stand for whatever the source answers.
   */
  readonly template: RealServer
}

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

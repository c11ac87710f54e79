import type { ServerSource } from '@ipvs-director/config'
import type { Clock } from '@ipvs-director/core'
import { dnsSource, systemResolve } from './dns.ts'
import { etcdSource } from './etcd.ts'
import type { Source } from './source.ts'

/** The sources as they are outside of tests. */
export function openSource(settings: ServerSource, clock: Clock): Source {
  const random = Math.random
  return settings.kind === 'dns'
    ? dnsSource(settings, { clock, random, resolve: systemResolve })
    : etcdSource(settings, { clock, random })
}

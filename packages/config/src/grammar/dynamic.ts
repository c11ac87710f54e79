import { choiceKind, durationKind, integerKind, textKind } from '../kinds.ts'
import { refine } from '../kind.ts'
import { first, option, type Phrase, phraseKind } from '../phrase.ts'

const parts = {
  kind: first(choiceKind(['dns', 'etcd'])),
  from: first(textKind({ what: 'a DNS name or a URL', syntax: 'NAME|URL' })),
  type: option('type', choiceKind(['A', 'AAAA', 'SRV'], { ignoreCase: true })),
  prefix: option('prefix', textKind({ what: 'the beginning of keys', syntax: 'KEY' })),
  port: option('port', integerKind({ min: 1, max: 65535 })),
  minTtl: option('min_ttl', durationKind({ min: 0.1, max: 86_400 })),
  max: option('max', integerKind({ min: 1, max: 10_000 })),
}

/** A line of `real_servers_from`. */
export type ServersFromText = Phrase<typeof parts>

const dnsName = /^(?=.{1,254}$)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.(?!$)|\.?$))+$/
const url = /^https?:\/\/[^\s/?#"]+\/?$/

function problemOf({ kind, from, type, prefix, minTtl }: ServersFromText): string | undefined {
  if (kind === 'dns') {
    if (/^[\d.]+$/.test(from) || !dnsName.test(from)) return `"${from}" is not a DNS name`
    return prefix === undefined ? undefined : 'prefix belongs to etcd, not to dns'
  }
  if (!url.test(from)) return `"${from}" is not a URL of etcd: http:// or https://, a host and a port, nothing more`
  if (prefix === undefined) return 'etcd needs a prefix: the beginning of the keys that are servers'
  return type === undefined && minTtl === undefined ? undefined : 'type and min_ttl belong to dns, not to etcd'
}

/** `dns NAME …` or `etcd URL prefix KEY …`. */
export const serversFromKind = refine(
  phraseKind(
    parts,
    'dns NAME [type A|AAAA|SRV] [port N] [min_ttl SECONDS] [max N], or etcd URL prefix KEY [port N] [max N]',
  ),
  problemOf,
  { code: 'E067' },
)

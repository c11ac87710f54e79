import { type Json, type Kind, wordOf } from '../kind.ts'
import { addressKind, booleanKind, choiceKind, integerKind, textKind, wordsKind } from '../kinds.ts'
import { destinationKind, gatewayKind } from '../network.ts'
import { bare, choice, many, mark, option, phraseKind } from '../phrase.ts'
import { interfaceKind, nameKind } from './shared.ts'
import { anyNumber, numberOrName } from './vip.ts'

/** `[lock] N`: a metric the kernel must not change. */
const lockable: Kind<{ readonly lock: boolean; readonly value: string }> = {
  syntax: '[lock] N',
  range: '',
  read(words) {
    const lock = words.peek() === 'lock'
    if (lock) words.take()
    const value = words.take()
    return value === undefined ? words.missing('a number') : { lock, value }
  },
  toJson: ({ lock, value }) => (lock ? { lock, value } : value),
  words(json) {
    if (typeof json === 'string') return [json]
    return ['lock', wordOf((json as { readonly [key: string]: Json })['value'])]
  },
  schema: {
    oneOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: { lock: { const: true }, value: { type: 'string' } },
        required: ['lock', 'value'],
        additionalProperties: false,
      },
    ],
  },
}

const nexthop = phraseKind(
  {
    via: option(['via', 'gw'], gatewayKind),
    dev: option(['dev', 'oif'], interfaceKind),
    weight: option('weight', integerKind({ min: 1, max: 256 })),
    onlink: mark('onlink'),
    realms: option('realms', numberOrName),
  },
  '[via ADDR] [dev IF] [weight N] [onlink]',
)

const types = [
  'unicast',
  'local',
  'broadcast',
  'multicast',
  'throw',
  'unreachable',
  'prohibit',
  'blackhole',
  'nat',
] as const

const encapsulationOptions: Readonly<Record<string, readonly string[]>> = {
  mpls: ['ttl'],
  ip: ['id', 'dst', 'src', 'ttl', 'tos'],
  ip6: ['id', 'dst', 'src', 'hoplimit', 'tc'],
}

/** `mpls LABELS`, `ip dst ADDR …`, `ip6 dst ADDR …`, `ila LOCATOR`: only the words that belong to it. */
const encapsulationKind: Kind<readonly string[]> = {
  ...wordsKind({ what: 'an encapsulation' }),
  syntax: 'mpls|ip|ip6|ila …',
  read(words) {
    const kind = words.take()
    if (kind === undefined) return words.missing('an encapsulation')
    const all = [kind]
    const known = encapsulationOptions[kind] ?? []
    const takeOne = (): void => {
      const next = words.take()
      if (next !== undefined) all.push(next)
    }
    if (kind === 'mpls' || kind === 'ila') takeOne()
    for (let next = words.peek(); next !== undefined && known.includes(next); next = words.peek()) {
      takeOne()
      takeOne()
    }
    return all
  },
}

/** An entry of virtual_routes and static_routes: what `ip route add` takes. */
export const routeKind = phraseKind(
  {
    family: choice('inet', 'inet6'),
    type: choice(...types),
    to: bare(destinationKind, /^(?:default6?|any|all|[0-9a-fA-F:.]+(?:\/\d+)?)$/, 'to'),
    src: option('src', addressKind()),
    via: option(['via', 'gw'], gatewayKind),
    or: option('or', gatewayKind),
    dev: option(['dev', 'oif'], interfaceKind),
    table: option('table', numberOrName),
    metric: option(['metric', 'priority', 'preference'], anyNumber),
    scope: option('scope', numberOrName),
    tos: option(['tos', 'dsfield'], numberOrName),
    protocol: option('protocol', numberOrName),
    mtu: option('mtu', lockable),
    hoplimit: option('hoplimit', lockable),
    advmss: option('advmss', lockable),
    rtt: option('rtt', lockable),
    rttvar: option('rttvar', lockable),
    reordering: option('reordering', lockable),
    window: option('window', lockable),
    cwnd: option('cwnd', lockable),
    initcwnd: option('initcwnd', lockable),
    initrwnd: option('initrwnd', lockable),
    ssthresh: option('ssthresh', lockable),
    rto_min: option('rto_min', lockable),
    realms: option('realms', numberOrName),
    quickack: option('quickack', booleanKindOrNumber()),
    fastopen_no_cookie: option('fastopen_no_cookie', booleanKindOrNumber()),
    features: option('features', choiceKind(['ecn'])),
    congctl: option('congctl', lockable),
    pref: option('pref', choiceKind(['low', 'medium', 'high'])),
    expires: option('expires', anyNumber),
    onlink: mark('onlink'),
    encap: option('encap', encapsulationKind),
    ttl_propagate: option('ttl-propagate', choiceKind(['enabled', 'disabled'])),
    vrf: option('vrf', interfaceKind),
    how: choice('add', 'append', 'prepend'),
    nexthops: many('nexthop', nexthop),
    no_track: mark('no_track'),
    track_group: option('track_group', nameKind),
  },
  '[TYPE] [to] DEST [via ADDR] [dev IF] [src ADDR] [table T] [metric N] … [nexthop via ADDR dev IF weight N]…',
)

function booleanKindOrNumber(): Kind<boolean> {
  return {
    ...booleanKind,
    read(words) {
      const next = words.peek()
      if (next !== '0' && next !== '1') return booleanKind.read(words)
      words.take()
      return next === '1'
    },
  }
}

const range = textKind({ pattern: /^\d+(?:-\d+)?$/, what: 'a number or range', syntax: 'N[-N]' })

/** An entry of virtual_rules and static_rules: what `ip rule add` takes. */
export const ruleKind = phraseKind(
  {
    family: choice('inet', 'inet6'),
    not: mark('not'),
    from: option('from', destinationKind),
    to: option('to', destinationKind),
    tos: option(['tos', 'dsfield'], numberOrName),
    fwmark: option(
      'fwmark',
      textKind({
        pattern: /^(?:0x[0-9a-fA-F]+|\d+)(?:\/(?:0x[0-9a-fA-F]+|\d+))?$/,
        what: 'MARK or MARK/MASK',
        syntax: 'MARK[/MASK]',
      }),
    ),
    iif: option(['iif', 'dev'], interfaceKind),
    oif: option('oif', interfaceKind),
    uidrange: option('uidrange', textKind({ pattern: /^\d+-\d+$/, what: 'a range of users', syntax: 'N-N' })),
    l3mdev: mark('l3mdev'),
    tunnel_id: option(['tunnel-id', 'tun_id'], anyNumber),
    ipproto: option('ipproto', numberOrName),
    sport: option('sport', range),
    dport: option('dport', range),
    table: option(['table', 'lookup'], numberOrName),
    goto: option('goto', anyNumber),
    nop: mark('nop'),
    type: option('type', numberOrName),
    action: choice('blackhole', 'unreachable', 'prohibit'),
    realms: option('realms', numberOrName),
    preference: option(['preference', 'priority', 'order'], anyNumber),
    protocol: option('protocol', numberOrName),
    suppress_prefixlength: option(['suppress_prefixlength', 'sup_pl'], anyNumber),
    suppress_ifgroup: option(['suppress_ifgroup', 'sup_group'], numberOrName),
    no_track: mark('no_track'),
    track_group: option('track_group', nameKind),
  },
  '[not] [from PREFIX] [to PREFIX] [fwmark MARK[/MASK]] [iif IF] [oif IF] [table T] [preference N] …',
)

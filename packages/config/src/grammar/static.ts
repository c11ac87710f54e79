import { block, blocks, duration, list, value } from '../declare.ts'
import { durationKind } from '../kinds.ts'
import { choice, first, maybe, phraseKind } from '../phrase.ts'
import { routeKind, ruleKind } from './routes.ts'
import { interfaceKind, nameKind } from './shared.ts'
import { staticAddressKind } from './vip.ts'

const delay = durationKind({ min: 0, max: 255 })

/** Top-level lists: what is set up at the start, and what is known of interfaces. */
export const staticLists = {
  staticIpAddress: list('static_ipaddress', staticAddressKind, {
    doc: 'Addresses to add at the start and remove at the end.',
  }),
  staticRoutes: list('static_routes', routeKind, {
    doc: 'Routes to add at the start and remove at the end.',
  }),
  staticRules: list('static_rules', ruleKind, {
    since: '1.2.20',
    doc: 'Routing rules to add at the start and remove at the end.',
  }),
  linkbeatInterfaces: list(
    'linkbeat_interfaces',
    phraseKind({ interface: first(interfaceKind), how: choice('MII', 'ETHTOOL', 'IOCTL') }, 'IF [MII|ETHTOOL|IOCTL]'),
    {
      since: '2.0.13',
      doc: 'Interfaces whose link state is polled, once a second; without a kind, by the first that works.',
    },
  ),
  interfaceUpDownDelays: list(
    'interface_up_down_delays',
    phraseKind({ interface: first(interfaceKind), down: first(delay), up: maybe(delay) }, 'IF DOWN [UP]'),
    { since: '2.2.3', doc: 'Time an interface must be down, or up, to count as that; seconds.' },
  ),
} as const

/** Interfaces that share the spacing of gratuitous ARPs. */
export const garpGroup = blocks(
  'garp_group',
  'Interfaces that share the spacing of gratuitous ARPs and unsolicited neighbour advertisements.',
  {
    garpInterval: duration('garp_interval', { min: 0.000001, orZero: true, doc: 'Time between two gratuitous ARPs.' }),
    gnaInterval: duration('gna_interval', {
      min: 0.000001,
      orZero: true,
      doc: 'Time between two unsolicited neighbour advertisements.',
    }),
    interface: value('interface', interfaceKind, { doc: 'The interface.' }),
    interfaces: list('interfaces', interfaceKind, { layout: 'words', doc: 'The interfaces, where they are several.' }),
  },
  { since: '1.2.21' },
)

/** Instances that static addresses, routes and rules follow. */
export const trackGroup = blocks(
  'track_group',
  'Instances that have a fault while the interface of a static address, route or rule is down that names the group.',
  { group: list('group', nameKind, { layout: 'words', doc: 'Names of the instances.' }) },
  { header: nameKind, since: '2.0.3' },
)

/** Client certificates of SSL_GET. */
export const ssl = block('SSL', 'Certificates that SSL_GET checks present.', {
  password: value('password', nameKind, { secret: true, doc: 'Password of the key.' }),
  ca: value('ca', nameKind, { doc: 'File of certificate authorities.' }),
  certificate: value('certificate', nameKind, { doc: 'File of the certificate.' }),
  key: value('key', nameKind, { doc: 'File of its key.' }),
})

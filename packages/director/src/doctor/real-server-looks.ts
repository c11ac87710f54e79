/** A machine that is a real server: it answers for the VIP, and nobody learns that from it. */
import type { RealServerMethod } from '@ipvs-director/control'
import { familyOf, type Address } from '@ipvs-director/core'
import { sysctl, type Facts, type Interface } from './facts.ts'
import { fine, mendable, note, unknown, wrong, type Found } from './findings.ts'
import { moduleState } from './kernel-looks.ts'
import { wayTo } from './ways.ts'

export interface RealServerWish {
  readonly vips: readonly Address[]
  readonly method: RealServerMethod
}

export function lookAtRealServer(facts: Facts, { vips, method }: RealServerWish): Found[] {
  if (facts.interfaces === undefined) return [unknown('vip', 'interfaces and addresses could not be read')]
  if (method === 'nat') return vips.flatMap((vip) => natServer(facts, vip))
  const v4 = vips.some((vip) => familyOf(vip) === 'inet')
  return [
    ...(method === 'tun' ? tunnelEnd(facts, vips) : []),
    ...vips.map((vip) => heldVip(facts, vip, method)),
    ...(v4 ? quietArp(facts) : []),
  ]
}

const full = (vip: Address): number => (familyOf(vip) === 'inet' ? 32 : 128)

/** The VIP belongs on lo (or a dummy, or the tunnel's end): there it is accepted and told to nobody. */
function heldVip({ interfaces = [] }: Facts, vip: Address, method: RealServerMethod): Found {
  const holder = interfaces.find(({ addresses }) => addresses.some(({ address }) => address === vip))
  const prefix = holder?.addresses.find(({ address }) => address === vip)?.prefix
  const place = method === 'tun' && familyOf(vip) === 'inet' ? 'tunl0' : 'lo'
  if (holder === undefined) {
    return mendable(
      'bad',
      'vip',
      `${vip} is on no interface`,
      'Packets for it are not for this machine: it forwards or drops them.',
      [{ do: 'add', address: vip, prefix: full(vip), interface: place }],
    )
  }
  if (!isQuiet(holder)) {
    return wrong(
      'bad',
      'vip',
      `${vip} is on ${holder.name}`,
      'Its neighbours are told that the VIP is here: clients come past the director, or not at all.',
      [`ip addr del ${vip}/${prefix ?? full(vip)} dev ${holder.name}`, `ip addr add ${vip}/${full(vip)} dev ${place}`],
    )
  }
  if (holder.loopback && prefix !== full(vip)) {
    return wrong(
      'bad',
      'vip',
      `${vip}/${prefix ?? '?'} is on ${holder.name}`,
      'On the loopback a whole network is taken as local: this machine reaches none of its neighbours in it any more.',
      [
        `ip addr del ${vip}/${prefix ?? full(vip)} dev ${holder.name}`,
        `ip addr add ${vip}/${full(vip)} dev ${holder.name}`,
      ],
    )
  }
  return fine('vip', `${vip} is on ${holder.name}`)
}

const tunnelKinds = ['ipip', 'ip6tnl', 'gre', 'sit']
const isQuiet = ({ loopback, kind, name }: Interface): boolean =>
  loopback || kind === 'dummy' || name === 'tunl0' || (kind !== undefined && tunnelKinds.includes(kind))

/** The larger of `all` and the interface's own counts. */
function effective(facts: Facts, name: string, setting: string): number {
  const read = (scope: string): number => Number(sysctl(facts, `net.ipv4.conf.${scope}.${setting}`) ?? 0)
  return Math.max(read('all'), read(name.replaceAll('.', '/')))
}

const arp = [
  {
    setting: 'arp_ignore',
    fits: (value: number) => value === 1 || value === 2 || value === 8,
    wanted: '1',
    why: 'It answers ARP for the VIP: the router learns this machine instead of the director, now and then.',
  },
  {
    setting: 'arp_announce',
    fits: (value: number) => value === 2,
    wanted: '2',
    why: 'It asks for its neighbours by ARP with the VIP as sender: they learn the VIP from that.',
  },
] as const

function quietArp(facts: Facts): Found[] {
  const ports = (facts.interfaces ?? []).filter(({ loopback, up, name }) => up && !loopback && name !== 'tunl0')
  return arp.map(({ setting, fits, wanted, why }): Found => {
    const name = setting.replace('_', '-')
    const loud = ports.filter((port) => !fits(effective(facts, port.name, setting)))
    if (loud.length === 0) return fine(name, `${setting} is ${wanted} where it counts`)
    const values = loud.map((port) => `${port.name} ${effective(facts, port.name, setting)}`).join(', ')
    return mendable('bad', name, `${setting}: ${values}`, why, [
      { do: 'set', setting: `net.ipv4.conf.all.${setting}`, value: wanted },
      { do: 'set', setting: `net.ipv4.conf.lo.${setting}`, value: wanted },
    ])
  })
}

/** IP in IP arrives on tunl0, from clients whose route is another interface. */
function tunnelEnd(facts: Facts, vips: readonly Address[]): Found[] {
  if (!vips.some((vip) => familyOf(vip) === 'inet')) return []
  const tunnel = facts.interfaces?.find(({ name }) => name === 'tunl0')
  if (tunnel === undefined) {
    const state = moduleState(facts, 'ipip')
    return [
      wrong('bad', 'tunnel', `there is no tunl0 (module ipip: ${state})`, 'Nobody unpacks what the director sends.', [
        'modprobe ipip && echo ipip > /etc/modules-load.d/ipip.conf',
        'ip link set tunl0 up',
      ]),
    ]
  }
  const strict = effective(facts, 'tunl0', 'rp_filter') === 1
  const all = Number(sysctl(facts, 'net.ipv4.conf.all.rp_filter') ?? 0)
  return [
    tunnel.up
      ? fine('tunnel', 'tunl0 is up')
      : mendable('bad', 'tunnel', 'tunl0 is down', 'Nobody unpacks what the director sends.', [
          { do: 'up', interface: 'tunl0' },
        ]),
    strict
      ? mendable(
          'bad',
          'rp-filter',
          'tunl0 filters strictly by reverse path',
          'What it unpacks comes from clients whose route is another interface: it is dropped in silence.',
          [
            ...(all === 1 ? [{ do: 'set', setting: 'net.ipv4.conf.all.rp_filter', value: '0' } as const] : []),
            { do: 'set', setting: 'net.ipv4.conf.tunl0.rp_filter', value: '0' },
          ],
        )
      : fine('rp-filter', 'tunl0 does not filter strictly by reverse path'),
  ]
}

/** A NAT real server knows nothing of the VIP; its answers must go back through the director. */
function natServer(facts: Facts, vip: Address): Found[] {
  const { interfaces = [], ways } = facts
  const holder = interfaces.find(({ addresses }) => addresses.some(({ address }) => address === vip))
  const held =
    holder === undefined
      ? fine('vip', `${vip} is not here, as it should be`)
      : wrong('bad', 'vip', `${vip} is on ${holder.name}`, 'With NAT the VIP belongs to the director alone.', [
          `ip addr del ${vip} dev ${holder.name}`,
        ])
  const family = familyOf(vip)
  const out = ways.find((way) => way.family === family && way.destination === undefined)
  const back = wayTo(facts, vip)
  if (out === undefined) {
    return [
      held,
      wrong('bad', 'nat-return', 'there is no default route', 'Answers to clients must leave through the director.', [
        `ip ${family === 'inet' ? '' : '-6 '}route add default via DIRECTOR`,
      ]),
    ]
  }
  const direct = back !== undefined && back.destination !== undefined && back.gateway === undefined
  return [
    held,
    direct
      ? note(
          'nat-return',
          `${vip} is on this machine's own network: clients there are answered past the director, and fail`,
        )
      : note('nat-return', `answers leave through ${out.gateway ?? out.interface ?? '?'}: that must be the director`),
  ]
}

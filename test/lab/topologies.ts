import { addressLine, type HostSpec, type LabSpec } from './spec.ts'

/** Addresses of a ready-made lab, by what they are for. */
export interface Addresses {
  readonly vip: string
  readonly vip6: string
  /** Of the real servers, as the director reaches them. */
  readonly servers: readonly [string, string, string]
  readonly servers6: readonly [string, string, string]
}

/** The ready-made labs' hosts. */
export type StandardHost = 'client' | 'director' | 'rs1' | 'rs2' | 'rs3'
export const serverNames = ['rs1', 'rs2', 'rs3'] as const

type Topology = LabSpec<StandardHost> & Addresses

const numbered = (base: string): [string, string, string] => [`${base}11`, `${base}12`, `${base}13`]

/** The VIP on a real server: there to be accepted, not to be told to neighbours (LVS-DR's ARP problem). */
const quietArp = {
  'net.ipv4.conf.all.arp_ignore': 1,
  'net.ipv4.conf.all.arp_announce': 2,
}

/**
 * An IPv6 VIP on a director: deprecated, so that the kernel does not choose it as the source of probes or tunnels (a real
 * server that holds the VIP too drops what seems to come from itself).
 */
const directorVip6 = (vip6: string): string => `${addressLine(`${vip6}/128`, 'eth0')} preferred_lft 0`

/**
 * LVS-DR on one LAN: client 10.1.0.10, director 10.1.0.1 with the VIP 10.1.0.100 on eth0, real servers
 * 10.1.0.11 to 13 with the VIP on lo. IPv6 likewise in fd00:1::/64.
 */
export function dr(): Topology {
  const vip = '10.1.0.100'
  const vip6 = 'fd00:1::100'
  const servers = numbered('10.1.0.')
  const servers6 = numbered('fd00:1::')
  const server = (index: 0 | 1 | 2): HostSpec => ({
    links: { lan: [`${servers[index]}/24`, `${servers6[index]}/64`] },
    sysctls: quietArp,
    ip: [addressLine(`${vip}/32`, 'lo'), addressLine(`${vip6}/128`, 'lo')],
  })
  return {
    ...{ vip, vip6, servers, servers6 },
    networks: ['lan'],
    hosts: {
      client: { links: { lan: ['10.1.0.10/24', 'fd00:1::10/64'] } },
      director: { links: { lan: ['10.1.0.1/24', 'fd00:1::1/64', `${vip}/32`] }, ip: [directorVip6(vip6)] },
      rs1: server(0),
      rs2: server(1),
      rs3: server(2),
    },
  }
}

/**
 * LVS-NAT: the client 192.0.2.10 outside, the director as gateway with the VIP 192.0.2.100 outside (eth0) and 10.2.0.1
 * inside (eth1), real servers 10.2.0.11 to 13 whose way out is the director. IPv6: 2001:db8:2::/64 and fd00:2::/64.
 */
export function nat(): Topology {
  const vip = '192.0.2.100'
  const vip6 = '2001:db8:2::100'
  const servers = numbered('10.2.0.')
  const servers6 = numbered('fd00:2::')
  const server = (index: 0 | 1 | 2): HostSpec => ({
    links: { inside: [`${servers[index]}/24`, `${servers6[index]}/64`] },
    ip: ['route add default via 10.2.0.1', 'route add default via fd00:2::1'],
  })
  return {
    ...{ vip, vip6, servers, servers6 },
    networks: ['outside', 'inside'],
    hosts: {
      client: { links: { outside: ['192.0.2.10/24', '2001:db8:2::10/64'] } },
      director: {
        links: {
          outside: ['192.0.2.1/24', '2001:db8:2::1/64', `${vip}/32`],
          inside: ['10.2.0.1/24', 'fd00:2::1/64'],
        },
        sysctls: { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 },
        ip: [directorVip6(vip6)],
      },
      rs1: server(0),
      rs2: server(1),
      rs3: server(2),
    },
  }
}

/**
 * LVS-TUN: the real servers 10.3.1.11 to 13 are on another network than client and director, behind the router
 * 10.3.0.254; they unpack IP in IP on tunl0 (IPv6: tun6), hold the VIP 10.3.0.100 there and answer the client directly.
 */
export function tun(): LabSpec<StandardHost | 'router'> & Addresses {
  const vip = '10.3.0.100'
  const vip6 = 'fd00:3::100'
  const servers = numbered('10.3.1.')
  const servers6 = numbered('fd00:3:1::')
  const wayOut = ['route add default via 10.3.0.254', 'route add default via fd00:3::254']
  const server = (index: 0 | 1 | 2): HostSpec => ({
    links: { far: [`${servers[index]}/24`, `${servers6[index]}/64`] },
    sysctls: { ...quietArp, 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.tunl0.rp_filter': 0 },
    ip: [
      'route add default via 10.3.1.254',
      'route add default via fd00:3:1::254',
      addressLine(`${vip}/32`, 'tunl0'),
      'link set tunl0 up',
      // ip6tnl0, which is there by itself, takes nothing in: its capabilities are never worked out
      `link add name tun6 type ip6tnl mode ip6ip6 local ${servers6[index]} remote any`,
      addressLine(`${vip6}/128`, 'tun6'),
      'link set tun6 up',
    ],
  })
  return {
    ...{ vip, vip6, servers, servers6 },
    modules: ['ipip', 'ip6_tunnel'],
    networks: ['near', 'far'],
    hosts: {
      client: { links: { near: ['10.3.0.10/24', 'fd00:3::10/64'] }, ip: wayOut },
      director: {
        links: { near: ['10.3.0.1/24', 'fd00:3::1/64', `${vip}/32`] },
        ip: [...wayOut, directorVip6(vip6)],
      },
      router: {
        links: { near: ['10.3.0.254/24', 'fd00:3::254/64'], far: ['10.3.1.254/24', 'fd00:3:1::254/64'] },
        sysctls: { 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1, 'net.ipv4.conf.all.rp_filter': 0 },
      },
      rs1: server(0),
      rs2: server(1),
      rs3: server(2),
    },
  }
}

/** The sample configuration that fits a ready-made lab, and the port on which its real servers must answer. */
export const samples = {
  dr: { config: 'configs/dr/keepalived.conf', port: 80 },
  nat: { config: 'configs/nat/keepalived.conf', port: 8080 },
  tun: { config: 'configs/tun/keepalived.conf', port: 80 },
} as const

/** The ready-made labs by name, for the command line. */
export const topologies = { dr, nat, tun } as const

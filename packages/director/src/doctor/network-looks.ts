/** Forwarding, and the way from the director to its real servers. */
import { familyOf, type Address } from '@ipvs-director/core'
import { sysctl, type DirectorFacts } from './facts.ts'
import { fine, note, unknown, wrong, type Found } from './findings.ts'
import { addressesBy, hasFamily, targets, virtualAddresses } from './needs.ts'
import { holderOf, wayTo } from './ways.ts'

const forwarding = [
  { family: 'inet', setting: 'net.ipv4.ip_forward' },
  { family: 'inet6', setting: 'net.ipv6.conf.all.forwarding' },
] as const

/** Only NAT needs it: what IPVS sends on by DR and TUN was delivered to this machine. */
export function lookAtForwarding(facts: DirectorFacts): Found[] {
  const behindNat = addressesBy(facts.config, 'masq')
  return forwarding.flatMap(({ family, setting }): Found[] => {
    if (!hasFamily(behindNat, family)) return []
    const value = sysctl(facts, setting)
    if (value === undefined) return [unknown('ip-forward', `${setting} could not be read`)]
    if (value !== '0') return [fine('ip-forward', `${setting} is ${value}`)]
    return [
      wrong('bad', 'ip-forward', `${setting} is 0`, 'Answers of NAT real servers come to the director and end there.', [
        `sysctl -w ${setting}=1`,
      ]),
    ]
  })
}

/** A virtual address must be delivered to this machine: held here, or brought by VRRP. */
export function lookAtVirtualAddresses(facts: DirectorFacts): Found[] {
  if (facts.interfaces === undefined) return [unknown('vip', 'interfaces and addresses could not be read')]
  const brought = new Set(
    (facts.config?.vrrp.instances ?? []).flatMap(({ addresses, excluded }) =>
      [...addresses, ...excluded].map(({ address }) => address),
    ),
  )
  return virtualAddresses(facts.config).map((vip): Found => {
    const holder = holderOf(facts, vip)
    if (holder !== undefined) return fine('vip', `${vip} is on ${holder.name}`)
    if (brought.has(vip)) return fine('vip', `${vip} comes with VRRP; it is not on this machine now`)
    const dev = wayTo(facts, vip)?.interface ?? 'eth0'
    const prefix = familyOf(vip) === 'inet' ? 32 : 128
    return wrong(
      'warning',
      'vip',
      `${vip} is on no interface here, and no vrrp_instance brings it`,
      'Packets to it are not for this machine, so IPVS never sees them (unless routing rules deliver them).',
      [`ip addr add ${vip}/${prefix} dev ${dev}`],
    )
  })
}

/** Addresses of an instance that is not master: the director leaves them alone, and has told of them. */
export function lookAtStrays(facts: DirectorFacts): Found[] {
  if (facts.strays === undefined || (facts.config?.vrrp.instances.length ?? 0) === 0) return []
  if (facts.strays.length === 0) return [fine('stray', 'no address of an instance is here but for those of a master')]
  return facts.strays.map(({ instance, addresses }) =>
    wrong(
      'bad',
      'stray',
      `${addresses.join(', ')} of ${instance} ${addresses.length === 1 ? 'is' : 'are'} here, although it is not master`,
      'Somebody put it here by hand: two machines answer for it, and neighbours believe whoever spoke last.',
      addresses.flatMap((address) => removalOf(facts, address)),
    ),
  )
}

function removalOf(facts: DirectorFacts, address: string): string[] {
  for (const { name, addresses } of facts.interfaces ?? []) {
    const found = addresses.find((one) => one.address === address)
    if (found !== undefined) return [`ip addr del ${address}/${found.prefix} dev ${name}`]
  }
  return []
}

/** DR rewrites the Ethernet address only: the real server must be a neighbour. */
export function lookAtDirectRouting(facts: DirectorFacts): Found[] {
  return addressesBy(facts.config, 'droute').map((server): Found => {
    const way = wayTo(facts, server)
    if (holderOf(facts, server) !== undefined) return fine('dr-neighbour', `${server} is this machine itself`)
    if (way === undefined) return noRoute('dr-neighbour', server)
    if (way.gateway === undefined) return fine('dr-neighbour', `${server} is a neighbour on ${way.interface ?? '?'}`)
    return wrong(
      'bad',
      'dr-neighbour',
      `${server} is behind the router ${way.gateway}`,
      'DR changes the Ethernet address only, so a real server must be on the same link. Use lb_kind TUN, or NAT.',
    )
  })
}

/** NAT works when the answers pass through the director again. */
export function lookAtNatReturn(facts: DirectorFacts): Found[] {
  return targets(facts.config)
    .filter(
      ({ forwarding: { method }, address }) => method === 'masq' && !address.startsWith('127.') && address !== '::1',
    )
    .filter(({ address }, i, all) => all.findIndex((one) => one.address === address) === i)
    .map(({ address: server, service }): Found => {
      const way = wayTo(facts, server)
      if (holderOf(facts, server) !== undefined) return fine('nat-return', `${server} is this machine itself`)
      if (way === undefined) return noRoute('nat-return', server)
      if (way.gateway !== undefined) {
        return wrong(
          'warning',
          'nat-return',
          `${server} (NAT) is behind the router ${way.gateway}`,
          'Its answers must come back through this director; that router has to send them here.',
        )
      }
      const vip = service.target.kind === 'address' ? service.target.address : undefined
      const same = vip !== undefined && holderOf(facts, vip)?.name === way.interface
      if (same) {
        return note(
          'nat-return',
          `${server} (NAT) shares ${way.interface ?? 'a link'} with ${vip}: clients on that network get its answers past the director, and fail`,
        )
      }
      return fine(
        'nat-return',
        `${server} (NAT) is a neighbour on ${way.interface ?? '?'}; its default route must be this director`,
      )
    })
}

const noRoute = (name: string, server: string): Found =>
  wrong('bad', name, `there is no route to ${server}`, 'Nothing can be sent to it.', [`ip route get ${server}`])

/** Bytes a tunnel puts before the packet: outer IPv4 or IPv6, then GRE, or UDP and GUE. */
const overhead = { ipip: 0, gre: 4, gue: 12 } as const

/** A packet as long as the link allows no longer fits when the outer header is added. */
export function lookAtTunnels(facts: DirectorFacts): Found[] {
  if (facts.interfaces === undefined) return []
  const seen = new Set<string>()
  return targets(facts.config).flatMap(({ address: server, forwarding: { method, tunnel } }): Found[] => {
    if (method !== 'tunnel' || seen.has(server)) return []
    seen.add(server)
    const way = wayTo(facts, server)
    if (way === undefined) return [noRoute('tunnel-mtu', server)]
    const mtu = facts.interfaces?.find(({ name }) => name === way.interface)?.mtu
    if (mtu === undefined) return []
    const added = (familyOf(server) === 'inet' ? 20 : 40) + overhead[tunnel?.type ?? 'ipip']
    const text = `tunnel to ${server}: ${way.interface ?? '?'} has MTU ${mtu}, ${added} bytes are added`
    if (mtu >= 1500 + added) return [fine('tunnel-mtu', text)]
    return [
      wrong(
        'warning',
        'tunnel-mtu',
        text,
        'Full packets of clients (uploads) do not fit. Let the real servers announce a smaller segment size, on each of them:',
        [`ip route change default via GATEWAY advmss ${mtu - added - (familyOf(server) === 'inet' ? 40 : 60)}`],
      ),
    ]
  })
}

/** Strict reverse-path filtering drops clients that come by another interface than answers would leave by. */
export function lookAtReversePath(facts: DirectorFacts): Found[] {
  const busy = (facts.interfaces ?? []).filter(({ loopback, up }) => up && !loopback)
  if (busy.length < 2) return []
  const all = Number(sysctl(facts, 'net.ipv4.conf.all.rp_filter') ?? 0)
  const strict = busy.filter(
    ({ name }) =>
      Math.max(all, Number(sysctl(facts, `net.ipv4.conf.${name.replaceAll('.', '/')}.rp_filter`) ?? 0)) === 1,
  )
  if (strict.length === 0) return [fine('rp-filter', 'no interface filters strictly by reverse path')]
  return [
    note(
      'rp-filter',
      `strict reverse-path filter (rp_filter 1) on ${strict.map(({ name }) => name).join(', ')}: a client that arrives by another interface than its route leaves by is dropped; 2 is the loose one`,
    ),
  ]
}

/** Answers to checks with data_path come from the VIP, which is an address of this machine as well. */
export function lookAtDataPaths(facts: DirectorFacts): Found[] {
  const servers = new Set<Address>()
  for (const { realServers } of facts.config?.virtualServers ?? []) {
    for (const { connection } of realServers.flatMap(({ checkers }) => checkers)) {
      if (connection?.through !== undefined && familyOf(connection.address) === 'inet')
        servers.add(connection.through.address)
    }
  }
  const devices = new Set([...servers].flatMap((server) => wayTo(facts, server)?.interface ?? []))
  return [...devices].map((device): Found => {
    const setting = (name: string): string => `net.ipv4.conf.${name}.accept_local`
    const value = [setting('all'), setting(device.replaceAll('.', '/'))].some((name) => Number(sysctl(facts, name)) > 0)
    const text = `${setting(device)} is ${value ? 1 : 0}`
    if (value) return fine('accept-local', text)
    return wrong(
      'bad',
      'accept-local',
      text,
      'Checks with data_path hear no answer while the virtual address is on this machine: what comes from it is taken for forged.',
      [`sysctl -w ${setting(device)}=1`],
    )
  })
}

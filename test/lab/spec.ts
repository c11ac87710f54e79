/** One host of a lab: what hangs on which network, and what its kernel is told. */
export interface HostSpec<Network extends string = string> {
  /**
   * The addresses (with prefix length, `10.0.0.1/24`) by network. The interfaces are eth0, eth1, … in this order;
   * a network without addresses gets an interface all the same.
   */
  readonly links: Readonly<Partial<Record<Network, readonly string[]>>>
  /** More lines for `ip -batch` once the links are up: routes, tunnels, addresses on lo. */
  readonly ip?: readonly string[]
  /** Written below /proc/sys before the links come up; dots or slashes: `net.ipv4.ip_forward`. */
  readonly sysctls?: Readonly<Record<string, string | number>>
}

/** A lab as it is declared. */
export interface LabSpec<Host extends string = string, Network extends string = string> {
  /** Bridges between hosts, each in a namespace of its own, so that nothing shows on the machine itself. */
  readonly networks: readonly Network[]
  readonly hosts: Readonly<Record<Host, HostSpec<Network>>>
  /** Kernel modules that make devices in every new namespace (ipip makes tunl0) and so must be there before. */
  readonly modules?: readonly string[]
}

/** Every interface of a host with its network, in order. */
export function interfacesOf(host: HostSpec): { name: string; network: string; addresses: readonly string[] }[] {
  return Object.entries(host.links).map(([network, addresses], index) => ({
    name: `eth${index}`,
    network,
    addresses: addresses ?? [],
  }))
}

/** The namespace of a host, and of a network's bridge, in the lab with this prefix. */
export const hostNamespace = (prefix: string, host: string): string => `${prefix}-${host}`
export const networkNamespace = (prefix: string, network: string): string => `${prefix}.${network}`

/** Every namespace of a lab, as `ip netns` knows them. */
export function namespacesOf(prefix: string, spec: LabSpec): string[] {
  return [
    ...spec.networks.map((network) => networkNamespace(prefix, network)),
    ...Object.keys(spec.hosts).map((host) => hostNamespace(prefix, host)),
  ]
}

/**
 * A shell script that builds the lab. In user-mode Linux every process costs 30 ms, so one `ip -batch` makes all
 * namespaces and links, and two processes set up each host.
 */
export function setUpScript(prefix: string, spec: LabSpec): string {
  const modules = spec.modules?.map((module) => `modprobe ${module} || true`) ?? []
  return [
    'set -e',
    ...modules,
    batch('ip -batch -', links(prefix, spec)),
    ...spec.networks.map((network) => switchOn(prefix, network, spec)),
    ...Object.entries<HostSpec>(spec.hosts).map(([name, host]) => setUpHost(hostNamespace(prefix, name), host)),
  ].join('\n')
}

/** Removes the namespaces; links and bridges go with them. */
export function tearDownScript(prefix: string, spec: LabSpec): string {
  return batch(
    'ip -force -batch - 2>/dev/null',
    namespacesOf(prefix, spec).map((name) => `netns del ${name}`),
  )
}

function links(prefix: string, spec: LabSpec): string[] {
  const lines = namespacesOf(prefix, spec).map((name) => `netns add ${name}`)
  for (const network of spec.networks) {
    lines.push(`link add name br0 netns ${networkNamespace(prefix, network)} type bridge mcast_snooping 0`)
  }
  for (const [name, host] of Object.entries<HostSpec>(spec.hosts)) {
    for (const { name: device, network } of interfacesOf(host)) {
      const near = `name ${device} netns ${hostNamespace(prefix, name)}`
      const far = `name ${portOf(name, device)} netns ${networkNamespace(prefix, network)}`
      lines.push(`link add ${near} type veth peer ${far}`)
    }
  }
  return lines
}

/** A bridge's port is called after the host and interface behind it, cut to what a device name may be. */
export const portOf = (host: string, device: string): string => `${host.slice(0, 9)}.${device}`

function switchOn(prefix: string, network: string, spec: LabSpec): string {
  const ports = Object.entries<HostSpec>(spec.hosts).flatMap(([name, host]) =>
    interfacesOf(host)
      .filter((link) => link.network === network)
      .map((link) => portOf(name, link.name)),
  )
  return batch(`ip -n ${networkNamespace(prefix, network)} -batch -`, [
    'link set br0 up',
    ...ports.map((port) => `link set ${port} master br0 up`),
  ])
}

function setUpHost(namespace: string, host: HostSpec): string {
  const sysctls = Object.entries(host.sysctls ?? {}).map(
    ([name, value]) => `echo ${value} > /proc/sys/${name.replaceAll('.', '/')}`,
  )
  const commands = [
    'set -e',
    'for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > "$f"; done',
    ...sysctls,
    batch('ip -batch -', deviceLines(host), 'ADDRESSES'),
  ]
  return batch(`nsenter --net=/run/netns/${namespace} sh`, commands, 'HOST')
}

function deviceLines(host: HostSpec): string[] {
  const lines = ['link set lo up']
  for (const { name, addresses } of interfacesOf(host)) {
    lines.push(...addresses.map((address) => addressLine(address, name)), `link set ${name} up`)
  }
  return [...lines, ...(host.ip ?? [])]
}

/** Without nodad an IPv6 address cannot be bound for the first second or two. */
export const addressLine = (address: string, device: string): string =>
  `addr add ${address} dev ${device}${address.includes(':') ? ' nodad' : ''}`

const batch = (command: string, lines: readonly string[], end = 'END'): string =>
  [`${command} <<'${end}'`, ...lines, end].join('\n')

import type { Host } from './host.ts'

/**
 * What Debian's `ipvsadm -Ln` prints, as data: an independent witness of the kernel's table. Shares nothing with
 * packages/ipvs.
 */
export interface WitnessedService {
  /** TCP, UDP, SCTP, or FWM for a firewall mark. */
  readonly protocol: 'TCP' | 'UDP' | 'SCTP' | 'FWM'
  /** `10.1.0.100:80`, `[fd00:1::100]:80`, or the mark: `7` (an IPv6 one: `7 IPv6`). */
  readonly address: string
  readonly scheduler: string
  /** The rest of the line: `persistent 300`, `ops`, `(flag-1)`. */
  readonly flags: string
  readonly destinations: readonly WitnessedDestination[]
}

export interface WitnessedDestination {
  readonly address: string
  readonly forward: 'Route' | 'Masq' | 'Tunnel' | 'Local'
  readonly weight: number
  readonly active: number
  readonly inactive: number
}

const serviceLine = /^(TCP|UDP|SCTP|FWM)\s+(\S+(?: IPv6)?)\s+(\S+)\s*(.*)$/
const destinationLine = /^\s+->\s+(\S+)\s+(Route|Masq|Tunnel|Local)\s+(-?\d+)\s+(\d+)\s+(\d+)\s*$/

/** Reads the output of `ipvsadm -Ln`; throws on a line that it does not know. */
export function parseIpvsadm(text: string): WitnessedService[] {
  const services: (WitnessedService & { destinations: WitnessedDestination[] })[] = []
  for (const line of text.split('\n')) {
    if (isHeading(line)) continue
    const service = serviceLine.exec(line)
    const destination = destinationLine.exec(line)
    if (service !== null) {
      const [, protocol = '', address = '', scheduler = '', flags = ''] = service
      services.push({ protocol: protocol as 'TCP', address, scheduler, flags: flags.trim(), destinations: [] })
    } else if (destination !== null) {
      const [, address = '', forward = '', ...numbers] = destination
      const [weight = 0, active = 0, inactive = 0] = numbers.map(Number)
      services.at(-1)?.destinations.push({ address, forward: forward as 'Route', weight, active, inactive })
    } else {
      throw new Error(`ipvsadm printed a line that is not known: ${line}`)
    }
  }
  return services
}

const isHeading = (line: string): boolean =>
  line.trim() === '' ||
  line.startsWith('IP Virtual Server') ||
  line.startsWith('Prot ') ||
  line.includes('RemoteAddress')

/** The weights of one service's destinations by address: `{ '10.1.0.11:80': 1, … }`; undefined where the service is not. */
export function weightsOf(table: readonly WitnessedService[], address: string): Record<string, number> | undefined {
  const service = table.find((each) => each.address === address)
  return service && Object.fromEntries(service.destinations.map((each) => [each.address, each.weight]))
}

/** A host's table as `ipvsadm` sees it. */
export async function witnessTable(host: Host): Promise<WitnessedService[]> {
  return parseIpvsadm(await host.output(['ipvsadm', '-Ln']))
}

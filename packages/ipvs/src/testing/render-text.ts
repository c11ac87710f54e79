import { addressBytes } from '@ipvs-director/core'
import type { DestinationGlance } from '../client.ts'
import { isMark, type Destination, type ForwardingMethod, type Service } from '../table.ts'

const names: Readonly<Record<ForwardingMethod, string>> = {
  masq: 'Masq',
  local: 'Local',
  tunnel: 'Tunnel',
  droute: 'Route',
  bypass: 'Masq',
}

/** The table as Linux 6.1 prints it in /proc/net/ip_vs; persistence is in ticks there, here of a HZ of 100. */
export function renderText(
  services: Iterable<Service>,
  connections?: Pick<DestinationGlance, 'activeConnections'>,
): string {
  const lines = [
    'IP Virtual Server version 1.2.1 (size=4096)',
    'Prot LocalAddress:Port Scheduler Flags',
    '  -> RemoteAddress:Port Forward Weight ActiveConn InActConn',
  ]
  for (const { key, settings, destinations } of services) {
    const ops = settings.onePacket && (isMark(key) || !key.address.includes(':')) ? 'ops ' : ''
    const name = isMark(key) ? `FWM  ${hex(key.fwmark, 8)}` : `${key.protocol.toUpperCase()}  ${endpoint(key)}`
    const v4 = isMark(key) || key.address.includes(':') ? '' : ' '
    const { persistence, netmask } = settings
    const persistent = persistence > 0 ? `persistent ${persistence * 100} ${hex(netmask, 8)}` : ''
    lines.push(`${name} ${settings.scheduler} ${v4}${ops}${persistent}`)
    for (const destination of destinations.values()) lines.push(destinationLine(destination, connections))
  }
  return `${lines.join('\n')}\n`
}

function destinationLine(destination: Destination, connections?: Pick<DestinationGlance, 'activeConnections'>): string {
  const method = names[destination.forwarding].padEnd(7)
  const weight = String(destination.weight).padEnd(6)
  const active = String(connections?.activeConnections ?? 0).padEnd(10)
  return `  -> ${endpoint(destination)}      ${method} ${weight} ${active} ${'0'.padEnd(10)}`
}

function endpoint({ address, port }: Pick<Destination, 'address' | 'port'>): string {
  const bytes = Buffer.from(addressBytes(address))
  const text =
    bytes.length === 4
      ? bytes.toString('hex').toUpperCase()
      : `[${bytes.toString('hex').match(/.{4}/g)?.join(':') ?? ''}]`
  return `${text}:${hex(port, 4)}`
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0')

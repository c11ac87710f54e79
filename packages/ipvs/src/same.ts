import type { DestinationSettings, ServiceSettings, Tunnel } from './table.ts'

/** Whether the kernel would serve alike: equal settings, field by field. */
export function sameService(a: ServiceSettings, b: ServiceSettings): boolean {
  return (
    a.scheduler === b.scheduler &&
    a.persistence === b.persistence &&
    a.netmask === b.netmask &&
    a.engine === b.engine &&
    a.onePacket === b.onePacket &&
    a.flag1 === b.flag1 &&
    a.flag2 === b.flag2 &&
    a.flag3 === b.flag3
  )
}

/** Whether the kernel would forward alike; a plain ipip tunnel is the same spelt out or not. */
export function sameDestination(a: DestinationSettings, b: DestinationSettings): boolean {
  return (
    a.forwarding === b.forwarding &&
    a.weight === b.weight &&
    a.upperThreshold === b.upperThreshold &&
    a.lowerThreshold === b.lowerThreshold &&
    sameTunnel(tunnelOf(a), tunnelOf(b))
  )
}

/** The tunnel options that count: none without `tunnel`, and none for plain ipip. */
export function tunnelOf({ forwarding, tunnel }: DestinationSettings): Tunnel | undefined {
  if (forwarding !== 'tunnel' || tunnel === undefined) return undefined
  return tunnel.type === 'ipip' && tunnel.port === 0 && tunnel.checksum === 'none' ? undefined : tunnel
}

function sameTunnel(a: Tunnel | undefined, b: Tunnel | undefined): boolean {
  return a?.type === b?.type && a?.port === b?.port && a?.checksum === b?.checksum
}

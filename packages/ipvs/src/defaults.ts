import type { Family } from '@ipvs-director/core'
import type { DestinationSettings, ServiceSettings } from './table.ts'

/** A service's settings as ipvsadm would add it without options: wlc, not persistent. */
export function defaultService(family: Family): ServiceSettings {
  return {
    scheduler: 'wlc',
    persistence: 0,
    netmask: family === 'inet' ? 0xffffffff : 128,
    engine: undefined,
    onePacket: false,
    flag1: false,
    flag2: false,
    flag3: false,
  }
}

/** A destination's settings as ipvsadm would add it without options: direct routing, weight 1, no limit. */
export const defaultDestination: DestinationSettings = {
  forwarding: 'droute',
  weight: 1,
  upperThreshold: 0,
  lowerThreshold: 0,
  tunnel: undefined,
}

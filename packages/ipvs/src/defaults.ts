import type { Endpoint, Family } from '@ipvs-director/core'
import {
  destinationId,
  serviceFamily,
  serviceId,
  type DestinationSettings,
  type Service,
  type ServiceKey,
  type ServiceSettings,
  type Table,
} from './table.ts'

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

/** A service for a {@link Table}; what is not given is as {@link defaultService} and {@link defaultDestination}. */
export function serviceOf(
  key: ServiceKey,
  settings: Partial<ServiceSettings> = {},
  destinations: readonly (Endpoint & Partial<DestinationSettings>)[] = [],
): Service {
  return {
    key,
    settings: { ...defaultService(serviceFamily(key)), ...settings },
    destinations: new Map(destinations.map((each) => [destinationId(each), { ...defaultDestination, ...each }])),
  }
}

/** A table of these services; of two with the same key the last counts. */
export function tableOf(services: readonly Service[]): Table {
  return new Map(services.map((service) => [serviceId(service.key), service]))
}

import { address, type Address } from '@ipvs-director/core'
import {
  defaultDestination,
  defaultService,
  destinationId,
  serviceId,
  type Destination,
  type Service,
  type ServiceKey,
  type Table,
} from 'ipvs-netlink'

/** So many services with so many destinations each. */
export interface Shape {
  readonly services: number
  readonly destinations: number
}

export const nameOf = (shape: Shape): string => `${format(shape.services)} × ${format(shape.destinations)}`
const format = (n: number): string => n.toLocaleString('en')

interface Entry {
  readonly virtual: Address
  readonly real: readonly Address[]
}

/** Addresses 10.64.0.0 and up for services, 10.128.0.0 and up for destinations, which all differ. */
function entriesOf({ services, destinations }: Shape): Entry[] {
  return Array.from({ length: services }, (_, service) => ({
    virtual: numbered(64, service),
    real: Array.from({ length: destinations }, (_unused, index) => numbered(128, service * destinations + index)),
  }))
}

const numbered = (second: number, n: number): Address =>
  address(`10.${second + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`)

/** The entry that everybody who goes through {@link configOf} or {@link rulesOf} in order adds last. */
export function lastDestination({ services, destinations }: Shape): { service: ServiceKey; destination: Destination } {
  const to = numbered(128, services * destinations - 1)
  return {
    service: { protocol: 'tcp', address: numbered(64, services - 1), port: 80 },
    destination: { ...defaultDestination, address: to, port: 80 },
  }
}

/** As our client wants it. */
export function tableOf(shape: Shape): Table {
  return new Map(
    entriesOf(shape).map(({ virtual, real }) => {
      const key = { protocol: 'tcp', address: virtual, port: 80 } as const
      const destinations = new Map<string, Destination>(
        real.map((to) => [destinationId({ address: to, port: 80 }), { ...defaultDestination, address: to, port: 80 }]),
      )
      const service: Service = { key, settings: { ...defaultService('inet'), scheduler: 'rr' }, destinations }
      return [serviceId(key), service]
    }),
  )
}

/** As `ipvsadm -R` reads it. */
export function rulesOf(shape: Shape): string {
  return entriesOf(shape)
    .flatMap(({ virtual, real }) => [
      `-A -t ${virtual}:80 -s rr`,
      ...real.map((to) => `-a -t ${virtual}:80 -r ${to}:80 -g -w 1`),
    ])
    .join('\n')
}

/**
 * As keepalived and we read it. The checks are an hour apart and begin at random within it, so that hardly one falls into
 * the measurement; servers count as up until then.
 */
export function configOf(shape: Shape): string {
  return entriesOf(shape)
    .map(
      ({ virtual, real }) => `virtual_server ${virtual} 80 {
  delay_loop 3600
  lb_algo rr
  lb_kind DR
  protocol TCP
${real.map((to) => `  real_server ${to} 80 {\n    weight 1\n    TCP_CHECK {\n    }\n  }`).join('\n')}
}`,
    )
    .join('\n')
}

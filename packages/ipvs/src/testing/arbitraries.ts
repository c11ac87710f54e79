import { address, type Family } from '@ipvs-director/core'
import fc from 'fast-check'
import { serviceOf, tableOf } from '../defaults.ts'
import {
  destinationId,
  serviceFamily,
  serviceId,
  type Destination,
  type DestinationSettings,
  type Service,
  type ServiceKey,
  type ServiceSettings,
  type Table,
  type Tunnel,
} from '../table.ts'

/**
 * Everything the kernel takes. Addresses and ports come from few, so that two tables share services and destinations;
 * settings are as the kernel gives them back (no tunnel options where they do not count).
 */

const virtualAddresses = {
  inet: ['192.0.2.1', '192.0.2.2', '198.51.100.255'].map(address),
  inet6: ['2001:db8::1', '2001:db8:0:1::', 'fd00::a:b'].map(address),
}

const realAddresses = {
  inet: ['10.0.0.1', '10.0.0.2', '10.0.0.3', '127.0.0.1', '203.0.113.254'].map(address),
  inet6: ['2001:db8:1::1', '2001:db8:1::2', '2001:db8:1:2:3:4:5:6', 'fd00::1', '::1'].map(address),
}

const families: readonly Family[] = ['inet', 'inet6']

const port = fc.constantFrom(0, 53, 80, 443, 65535)
const u32 = fc.oneof(fc.constantFrom(0, 1, 100, 0xffffffff), fc.nat(0xffffffff))

export const serviceKey: fc.Arbitrary<ServiceKey> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
      address: fc.constantFrom(...virtualAddresses.inet, ...virtualAddresses.inet6),
      port,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ fwmark: fc.constantFrom(1, 2, 0xffffffff), family: fc.constantFrom(...families) }),
  },
)

/** Schedulers that every kernel with IPVS brings along. */
const schedulers = ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'mh', 'sed', 'nq', 'fo', 'ovf']

export const serviceSettings = (family: Family): fc.Arbitrary<ServiceSettings> =>
  fc.record({
    scheduler: fc.constantFrom(...schedulers),
    persistence: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2_678_400 })),
    netmask: family === 'inet' ? u32 : fc.integer({ min: 1, max: 128 }),
    engine: fc.constantFrom(undefined, undefined, 'sip'),
    onePacket: fc.boolean(),
    flag1: fc.boolean(),
    flag2: fc.boolean(),
    flag3: fc.boolean(),
  })

const tunnel: fc.Arbitrary<Tunnel | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({
    type: fc.constant('gue'),
    port: fc.integer({ min: 1, max: 65535 }),
    checksum: fc.constantFrom('none', 'csum', 'remcsum'),
  }),
  fc.record({ type: fc.constant('gre'), port: fc.constant(0), checksum: fc.constantFrom('none', 'csum') }),
)

const thresholds = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ upperThreshold: 0, lowerThreshold: 0 }) },
  {
    weight: 1,
    arbitrary: fc.tuple(u32, u32).map(([a, b]) => ({ upperThreshold: Math.max(a, b), lowerThreshold: Math.min(a, b) })),
  },
)

const weight = fc.oneof(fc.constantFrom(0, 1, 2), fc.nat(0xffff), fc.constant(0x7fffffff))

const tunnelled = tunnel.map((options) => ({ forwarding: 'tunnel' as const, tunnel: options }))
const plain = fc
  .constantFrom('masq', 'local', 'droute', 'bypass')
  .map((forwarding) => ({ forwarding, tunnel: undefined }) as const)

/** `mixed`: of the other family than the service's, which only a tunnel serves. */
export const destinationSettings = (mixed: boolean): fc.Arbitrary<DestinationSettings> =>
  fc
    .tuple(mixed ? tunnelled : fc.oneof(tunnelled, plain, plain), thresholds, weight)
    .map(([forwarding, limits, share]) => ({ ...forwarding, ...limits, weight: share }))

export const destination = (service: Family): fc.Arbitrary<Destination> =>
  fc
    .constantFrom(service, service, service, ...families)
    .chain((family) =>
      fc
        .tuple(fc.constantFrom(...realAddresses[family]), port, destinationSettings(family !== service))
        .map(([real, at, settings]) => ({ address: real, port: at, ...settings })),
    )

export const service: fc.Arbitrary<Service> = serviceKey.chain((key) => {
  const family = serviceFamily(key)
  return fc
    .tuple(serviceSettings(family), fc.uniqueArray(destination(family), { maxLength: 6, selector: destinationId }))
    .map(([settings, destinations]) => ({
      key,
      settings,
      destinations: new Map(destinations.map((each) => [destinationId(each), each])),
    }))
})

export const table: fc.Arbitrary<Table> = fc
  .uniqueArray(service, { maxLength: 6, selector: ({ key }) => serviceId(key) })
  .map((services) => new Map(services.map((each) => [serviceId(each.key), each])))

/** Destinations of few places and weights, so that two of them are as often raised as lowered, added and removed. */
const shifting = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...realAddresses.inet.slice(0, 3)), fc.constantFrom(0, 0, 1, 2)), {
    minLength: 1,
    maxLength: 3,
    selector: ([real]) => real,
  })
  .map((pairs) => pairs.map(([real, share]) => ({ address: real, port: 80, weight: share })))

/** A table and what it is to become: the same service, another spread of its weight. */
export const shift: fc.Arbitrary<readonly [Table, Table]> = fc
  .tuple(serviceKey, shifting, shifting)
  .filter(([key]) => serviceFamily(key) === 'inet')
  .map(([key, before, after]) => [tableOf([serviceOf(key, {}, before)]), tableOf([serviceOf(key, {}, after)])] as const)

import { address } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { plansOf } from './paths.ts'
import { anInstance, aVip } from './testing/configs.ts'

const eth0 = { name: 'eth0', index: 2, up: true, mac: undefined, mtu: 1500, announces: true, addresses: [address('10.0.0.1')] } // prettier-ignore
const ground = {
  get: (name: string) => (name === 'eth0' ? eth0 : undefined),
  sourceTowards: () => undefined,
  isVirtual: () => false,
  vmacInterface: undefined,
}

test.for([
  ['undefined', undefined, undefined],
  ['bytes', 4000, 4000],
  ['three MTUs', { times: 3, of: 'MTU' }, 4500],
  // IPv4 header, VRRPv2 header, two addresses, authentication data
  ['five advertisements', { times: 5, of: 'ADVERT' }, 5 * (20 + 8 + 8 + 8)],
] as const)('receive buffer: %s', ([, receiveBuffer, bytes]) => {
  const addresses = [aVip('10.0.0.100'), aVip('10.0.0.101')]
  const [plan] = plansOf(anInstance({ version: 2, addresses, receiveBuffer }), ground)
  expect(plan?.path.receiveBuffer).toBe(bytes)
})

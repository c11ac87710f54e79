import { address, KernelError, seconds } from '@ipvs-director/core'
import type { PreparedRenewal } from '@ipvs-director/linux'
import type { Holding } from '@ipvs-director/vrrp'
import { expect, test } from 'vitest'
import { createLeases } from './leases.ts'

const holding = (key: string, ...addresses: string[]): Holding =>
  ({ key, addresses: addresses.map((one) => ({ address: address(one), prefix: 32, interface: 'eth0', scope: 'global', home: false })), excluded: [] }) as unknown as Holding // prettier-ignore

/** Answers are given by hand. */
function kernel() {
  const sends: string[][] = []
  const answers: ((errors: readonly (KernelError | undefined)[]) => void)[] = []
  const renewAddresses = (prepared: readonly PreparedRenewal[]) => {
    sends.push(prepared.map((one) => one.address.address))
    return new Promise<readonly (KernelError | undefined)[]>((resolve) => answers.push(resolve))
  }
  const answer = async (errors: readonly (KernelError | undefined)[] = []): Promise<void> => {
    answers.shift()?.(errors)
    await new Promise(setImmediate)
  }
  return { sends, answer, leases: createLeases({ renewAddresses }, () => 2) }
}

test('what is asked for in one turn is one send; what comes before its answer is the next', async () => {
  const { sends, answer, leases } = kernel()
  const all = [leases.renew(holding('A', '10.0.0.1'), seconds(3)), leases.renew(holding('B', '10.0.0.2'), seconds(3))]
  await new Promise(setImmediate)
  expect(sends).toEqual([['10.0.0.1', '10.0.0.2']])
  all.push(leases.renew(holding('C', '10.0.0.3'), seconds(3)))
  await new Promise(setImmediate)
  expect(sends).toHaveLength(1)
  await answer()
  expect(sends[1]).toEqual(['10.0.0.3'])
  await answer()
  await Promise.all(all)
})

test('what is dropped while a send is under way is never sent', async () => {
  const { sends, answer, leases } = kernel()
  const first = leases.renew(holding('A', '10.0.0.1'), seconds(3))
  await new Promise(setImmediate)
  const second = leases.renew(holding('B', '10.0.0.2'), seconds(3))
  leases.drop('B')
  await second
  await answer()
  await first
  expect(sends).toEqual([['10.0.0.1']])
})

test('more than a hundred go in several sends, and an error is told to whose it is', async () => {
  const { sends, answer, leases } = kernel()
  const addresses = Array.from({ length: 130 }, (_, i) => `10.0.1.${i}`)
  const many = expect(leases.renew(holding('A', ...addresses), seconds(3))).rejects.toThrow('cannot renew')
  const other = leases.renew(holding('B', '10.0.0.2'), seconds(3))
  await new Promise(setImmediate)
  await answer([undefined, new KernelError('cannot renew', { errno: 19, code: 'ENODEV', detail: undefined })])
  await answer()
  expect(sends.map(({ length }) => length)).toEqual([100, 31])
  await many
  await other
})

import { expect, test } from 'vitest'
import { requireDescriptors } from './needs.ts'

const means = (descriptors: number) => ({ probers: 1, descriptors, ports: 28_000 })

test('with too few descriptors nothing is begun', () => {
  expect(() => {
    requireDescriptors(means(63))
  }).toThrow(expect.objectContaining({ code: 'EMFILE', message: expect.stringMatching(/^EMFILE: 63 .* at least 64/) as string }) as Error) // prettier-ignore
  expect(() => {
    requireDescriptors(means(64))
  }).not.toThrow()
  expect(() => {
    requireDescriptors()
  }).not.toThrow()
})

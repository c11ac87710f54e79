import { expect, test } from 'vitest'
import { allowedProcessors, idlestProcessor, parseProcessors } from '../../lab/processors.ts'

test.each([
  ['0-2,5', [0, 1, 2, 5]],
  ['3', [3]],
  ['', []],
])('%s', (list, processors) => {
  expect(parseProcessors(list)).toEqual(processors)
})

test('the one with the least to do is one of those that there are', async () => {
  const allowed = allowedProcessors()
  expect(allowed).not.toEqual([])
  expect(allowed).toContain(await idlestProcessor(allowed))
})

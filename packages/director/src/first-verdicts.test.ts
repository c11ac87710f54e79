import { expect, test } from 'vitest'
import { createFirstVerdicts } from './first-verdicts.ts'

/** `+a b`: these are probed; `a`: it was heard. */
test.each([
  ['nothing is probed', ['+'], 1],
  ['one is missing', ['+a b', 'a'], 0],
  ['all were heard', ['+a b', 'a', 'b', 'b'], 1],
  ['who is missing is probed no more', ['+a b', 'a', '+a'], 1],
  ['who comes later is not waited for', ['+a', '+a b', 'a'], 1],
  ['only once', ['+', '+a', 'a'], 1],
])('%s', (_, steps, times) => {
  let settled = 0
  const verdicts = createFirstVerdicts(() => settled++)
  for (const step of steps) {
    if (step.startsWith('+')) verdicts.expect(new Set(step.slice(1).split(' ').filter(Boolean)))
    else verdicts.heard(step)
  }
  expect(settled).toBe(times)
})

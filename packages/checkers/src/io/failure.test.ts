import { seconds } from '@ipvs-director/core'
import { fakeClock } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { RunningAttempt } from '../running-attempt.ts'
import { endFailure, systemFailure } from './failure.ts'

test.for([
  ['ECONNREFUSED', false, 'refused', 'connection refused: 10.0.0.1:80'],
  ['ECONNRESET', false, 'reset', 'connection reset: 10.0.0.1:80'],
  ['EPIPE', false, 'reset', 'connection closed while sending: 10.0.0.1:80'],
  ['ETIMEDOUT', false, 'timeout', 'connection timed out: 10.0.0.1:80'],
  ['EHOSTUNREACH', false, 'unreachable', 'host unreachable: 10.0.0.1:80'],
  ['EHOSTUNREACH', true, 'unreachable', 'host unreachable: 10.0.0.1:80'],
  ['ENETUNREACH', false, 'unreachable', 'network unreachable: 10.0.0.1:80'],
  ['ENETUNREACH', true, 'local', 'no route (ENETUNREACH): 10.0.0.1:80'],
  ['ENETDOWN', true, 'local', 'no route (ENETDOWN): 10.0.0.1:80'],
  ['EACCES', false, 'unreachable', 'administratively prohibited: 10.0.0.1:80'],
  ['EACCES', true, 'local', 'not permitted (a privilege that is missing): 10.0.0.1:80'],
  ['ENONET', false, 'unreachable', 'host isolated: 10.0.0.1:80'],
  ['EMFILE', false, 'local', 'this process has no descriptors left: 10.0.0.1:80'],
  ['EADDRNOTAVAIL', false, 'local', 'no local address or port to connect from: 10.0.0.1:80'],
  ['EWHATEVER', false, 'local', 'connect EWHATEVER: 10.0.0.1:80'],
] as const)('%s (at once: %s) is %s: %s', ([code, atOnce, kind, text]) => {
  const failure = systemFailure(Object.assign(new Error(`connect ${code}`), { code }), '10.0.0.1:80', atOnce)
  expect([failure.class, failure.message]).toEqual([kind, text])
})

test('the end of an attempt says what was waited for, and how long', async () => {
  const clock = fakeClock()
  const attempt = new RunningAttempt(clock, seconds(5), seconds(15))
  await clock.advance(seconds(5))
  expect(endFailure('timeout', 'no answer from 10.0.0.1:80', attempt)).toMatchObject({
    class: 'timeout',
    message: 'no answer from 10.0.0.1:80 after 5 s',
  })
  expect(endFailure('stopped', 'no answer from 10.0.0.1:80', attempt).class).toBe('local')
})

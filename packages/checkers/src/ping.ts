import { block, connection, timing } from '@ipvs-director/config'
import { formatDuration, seconds } from '@ipvs-director/core'
import { defineChecker } from './define.ts'
import { failed, pass } from './verdict.ts'

/** PING_CHECK (keepalived's check_ping.c): an ICMP echo request is answered within connect_timeout. */
export const pingCheck = defineChecker({
  block: block(
    'PING_CHECK',
    'Up when an ICMP echo request is answered in time.',
    { ...connection, ...timing },
    { since: '2.1.0' },
  ),
  defaults: { retry: 1, delayBeforeRetry: seconds(1) },
  async probe({ attempt, io }, at) {
    try {
      await io.ping(at, attempt)
      return pass(`echo from ${at.address} after ${formatDuration(attempt.elapsed())}`)
    } catch (error) {
      return failed(error)
    }
  },
})

import { block, connection, timing } from '@ipvs-director/config'
import { formatDuration, seconds } from '@ipvs-director/core'
import { defineChecker } from './define.ts'
import { targetOf } from './io/target.ts'
import { failed, pass } from './verdict.ts'

/** TCP_CHECK (keepalived's check_tcp.c): the connection opens within connect_timeout, and is closed at once. */
export const tcpCheck = defineChecker({
  block: block('TCP_CHECK', 'Up when a TCP connection opens in time; it is closed at once.', {
    ...connection,
    ...timing,
  }),
  defaults: { retry: 1, delayBeforeRetry: seconds(1) },
  async probe({ attempt, io }, at) {
    try {
      const opened = await io.connect(at, attempt)
      opened.close()
      return pass(`connected to ${targetOf(at).where} after ${formatDuration(attempt.elapsed())}`)
    } catch (error) {
      return failed(error)
    }
  },
})

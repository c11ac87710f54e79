import type { BfdInstance, CheckTiming } from '@ipvs-director/config'
import { millis, seconds } from '@ipvs-director/core'
import type { Check } from '../checker.ts'
import { checkId } from '../identity.ts'
import { bfdCheck, bfdWish } from './checker.ts'

/** A watched check has no timing; what stands here only makes equal instances equal checks. */
const timing: CheckTiming = {
  delayLoop: seconds(1),
  retry: 0,
  delayBeforeRetry: seconds(1),
  warmup: millis(0),
  timeout: seconds(1),
  alpha: true,
  logAllFailures: false,
}

/**
 * The check that follows a `bfd_instance`, for whoever wants to know of its session beside real servers (`track_bfd`), and
 * for an instance that nobody follows: the other end wants a session all the same. A BFD_CHECK of it shares the session.
 */
export function checkOfBfd(instance: BfdInstance): Check {
  const { neighbor, source, minRx, minTx, idleTx, multiplier, passive, ttl, maxHops, multihop } = instance
  const options = {
    ...bfdWish({
      neighborIp: neighbor,
      sourceIp: source,
      minRx,
      minTx,
      idleTx,
      multiplier,
      passive,
      ttl,
      maxHops,
      multihop,
    }),
  }
  const initial = { up: false, unproven: true, seen: false }
  return {
    id: checkId(bfdCheck.keyword, undefined, options, timing),
    kind: bfdCheck.keyword,
    connection: undefined,
    options,
    timing,
    initial,
  }
}

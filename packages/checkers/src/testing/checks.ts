import type { CheckConnection, CheckTiming } from '@ipvs-director/config'
import { address, seconds } from '@ipvs-director/core'
import type { Check, InitialHealth, ProberEvents, Report } from '../checker.ts'
import { checkId } from '../identity.ts'

export const defaultTiming: CheckTiming = {
  delayLoop: seconds(10),
  retry: 0,
  delayBeforeRetry: seconds(1),
  warmup: seconds(0),
  timeout: seconds(5),
  alpha: false,
  logAllFailures: false,
}

export const unproven: InitialHealth = { up: true, unproven: true, seen: false }

/** Where a check connects: this address and port, nothing special. */
export function connectionTo(port: number, host = '127.0.0.1'): CheckConnection {
  return {
    address: address(host),
    port,
    bindAddress: undefined,
    bindPort: undefined,
    bindInterface: undefined,
    fwmark: 0,
  }
}

/** A check with its id. */
export function checkOf(
  kind: string,
  connection: CheckConnection | undefined,
  options: Readonly<Record<string, unknown>> = {},
  change: { readonly timing?: Partial<CheckTiming>; readonly initial?: Partial<InitialHealth> } = {},
): Check {
  const timing = { ...defaultTiming, ...change.timing }
  const initial = { ...unproven, ...change.initial }
  return { id: checkId(kind, connection, options, timing), kind, connection, options, timing, initial }
}

/** Events kept in arrays. */
export function recordedEvents(): ProberEvents & { readonly reports: Report[]; readonly troubles: string[] } {
  const reports: Report[] = []
  const troubles: string[] = []
  return {
    reports,
    troubles,
    report: (report) => {
      reports.push(report)
    },
    trouble: (message) => {
      troubles.push(message)
    },
  }
}

import { codes, type KeepalivedClass } from './codes.ts'
import { type Severity, severityOf } from './diagnostics.ts'

/** What a code means. */
export interface Explanation {
  readonly code: string
  readonly severity: Severity
  readonly title: string
  readonly keepalived: KeepalivedClass
  readonly doc: string
}

/** What a code (any case) means; undefined when there is no such code. */
export function explain(code: string): Explanation | undefined {
  return allCodes().find((each) => each.code === code.toUpperCase())
}

/** Every code there is. */
export function allCodes(): readonly Explanation[] {
  return Object.entries(codes).map(([code, info]) => ({ code, severity: severityOf(code), ...info }))
}

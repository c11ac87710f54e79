/** How `ipvs-ctl` ends, for scripts. Kept stable; printed by `--help` and in docs/control-api.md. */
export const exitStatus = {
  ok: 0,
  refused: 1,
  usage: 2,
  absent: 3,
  denied: 4,
  broken: 5,
  degraded: 6,
} as const

export type ExitStatus = (typeof exitStatus)[keyof typeof exitStatus]

/** What each means, in the order of the numbers. */
export const exitStatusTexts: readonly (readonly [ExitStatus, string])[] = [
  [exitStatus.ok, 'done'],
  [exitStatus.refused, 'refused: a faulty file, a reload not accepted, an unknown service'],
  [exitStatus.usage, 'wrong usage'],
  [exitStatus.absent, 'no director is running'],
  [exitStatus.denied, 'permission denied'],
  [exitStatus.broken, 'the director did not answer in time, or not as it should'],
  [exitStatus.degraded, 'only with --exit-code: something is not as it should be'],
]

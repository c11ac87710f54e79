import type { DirectorOptions } from '../director-options.ts'

/** Nobody is told. */
export const noAlarms: ReturnType<DirectorOptions['alarms']> = {
  apply: () => undefined,
  tell: () => undefined,
  stop: async () => undefined,
}

import type { AddServiceOptions } from './commands/add-service.ts'
import type { CheckOptions } from './commands/check.ts'
import type { ConfigOptions, ConvertOptions } from './commands/convert.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import type { DriftOptions } from './commands/drift.ts'
import type { EventsOptions } from './commands/events.ts'
import type { FmtOptions } from './commands/fmt.ts'
import type { ListOptions } from './commands/lists.ts'
import type { PlanOptions } from './commands/plan.ts'
import type { ProbersOptions } from './commands/probers.ts'
import type { ReloadOptions } from './commands/reload.ts'
import type { SteerOptions } from './commands/steer.ts'
import type { StatusOptions } from './commands/status.ts'
import type { StopOptions } from './commands/stop.ts'
import type { VrrpOptions } from './commands/vrrp.ts'

/** What a command line asks for: the outcome of parsing, before anything is done. */
export type Invocation = { readonly socket: string | undefined } & (
  | ({ readonly command: 'status' } & StatusOptions)
  | ({ readonly command: 'servers' } & ListOptions)
  | ({ readonly command: 'checks' } & ListOptions)
  | { readonly command: 'watch'; readonly every: number; readonly service: string | undefined }
  | { readonly command: 'explain'; readonly what: string; readonly json: boolean }
  | ({ readonly command: 'check' } & CheckOptions)
  | ({ readonly command: 'config' } & ConfigOptions)
  | ({ readonly command: 'convert' } & ConvertOptions)
  | ({ readonly command: 'fmt' } & FmtOptions)
  | ({ readonly command: 'doctor' } & DoctorOptions)
  | ({ readonly command: 'reload' } & ReloadOptions)
  | ({ readonly command: 'plan' } & PlanOptions)
  | { readonly command: 'confirm'; readonly json: boolean }
  | ({ readonly command: 'steer' } & SteerOptions)
  | ({ readonly command: 'add-service' } & AddServiceOptions)
  | ({ readonly command: 'vrrp' } & VrrpOptions)
  | ({ readonly command: 'probers' } & ProbersOptions)
  | ({ readonly command: 'drift' } & DriftOptions)
  | ({ readonly command: 'events' } & EventsOptions)
  | ({ readonly command: 'stop' } & StopOptions)
  | { readonly command: 'version'; readonly json: boolean }
  | { readonly command: 'names' }
  | { readonly command: 'completion'; readonly shell: Shell }
)

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** A command line that was answered while parsing: help, or what is wrong with it. */
export interface Answered {
  readonly output: string
  readonly ok: boolean
}

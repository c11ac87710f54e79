import { describeError } from '@ipvs-director/core'
import { readFileSync } from 'node:fs'
import { ControlError } from '../control-error.ts'
import type { ExitStatus } from '../exit-status.ts'
import { serviceText, type BriefService } from '../service-text.ts'
import type { CommandContext } from './context.ts'
import { runSteer } from './steer.ts'

export interface AddServiceOptions {
  /** keepalived.conf with virtual servers, or in few words. */
  readonly from: { readonly file: string } | BriefService
  readonly json: boolean
}

/** `ipvs-ctl add-service`: a virtual server until the next reset. */
export function runAddService(context: CommandContext, { from, json }: AddServiceOptions): Promise<ExitStatus> {
  const text = 'file' in from ? read(from.file) : serviceText(from)
  return runSteer(context, { request: { action: 'add-service', text }, json, wait: false })
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new ControlError('refused', describeError(error), { code: 'unreadable' })
  }
}

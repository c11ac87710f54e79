import { exitStatus, type ExitStatus } from '../exit-status.ts'
import { printAnswer, printLines, type CommandContext } from './context.ts'

export interface StopOptions {
  readonly keep: boolean
  readonly json: boolean
}

/** `ipvs-ctl stop`: ends the director; returns when it has agreed, not when it is gone. */
export async function runStop(context: CommandContext, { keep, json }: StopOptions): Promise<ExitStatus> {
  await context.client.stop({ keep })
  if (json) printAnswer(context, { stopping: true, keep })
  else {
    printLines(context, [
      keep
        ? "the director is stopping; the kernel's table stays and goes on balancing"
        : "the director is stopping and removes its services from the kernel's table",
    ])
  }
  return exitStatus.ok
}

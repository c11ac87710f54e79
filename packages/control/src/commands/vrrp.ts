import { closest } from '../closest.ts'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { VrrpCommand } from '../model.ts'
import { paragraph } from '../screen.ts'
import { printable } from '../text.ts'
import { vrrpScreen } from '../vrrp-view.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

export interface VrrpOptions {
  /** Undefined: look at it. */
  readonly action: VrrpCommand | undefined
  readonly instance: string | undefined
  readonly json: boolean
}

const done = {
  move: 'gives mastership away; it comes back when nobody else is master',
  hold: 'stays backup until it is released',
  release: 'is released',
} as const satisfies Record<VrrpCommand, string>

/** `ipvs-ctl vrrp [INSTANCE]`, and `move`, `hold`, `release`. */
export async function runVrrp(context: CommandContext, { action, instance, json }: VrrpOptions): Promise<ExitStatus> {
  if (action !== undefined && instance !== undefined) {
    await context.client.vrrp(action, instance)
    if (json) printAnswer(context, { action, instance })
    else printLines(context, paragraph(outScreen(context), `${printable(instance)} ${done[action]}`))
    return exitStatus.ok
  }
  const { vrrp, vrrpSilent, at } = await context.client.status()
  if (vrrpSilent !== undefined) throw new ControlError('refused', 'the vrrp process does not answer')
  if (vrrp === undefined) throw new ControlError('refused', 'no VRRP runs: the configuration has no vrrp_instance')
  const names = vrrp.instances.map(({ name }) => name)
  if (instance !== undefined && !names.includes(instance)) {
    throw new ControlError('refused', `there is no vrrp_instance ${instance}`, {
      suggestions: closest(instance, names),
    })
  }
  if (json) {
    const instances = vrrp.instances.filter(({ name }) => instance === undefined || name === instance)
    printAnswer(context, { at, ...vrrp, instances })
  } else printLines(context, vrrpScreen(vrrp, at, outScreen(context), instance))
  return exitStatus.ok
}

import { pause } from '@ipvs-director/core'
import type { GenericFamily } from '@ipvs-director/linux'
import type { IpvsError } from './client.ts'
import { commandNumbers, encodeCommand } from './encode.ts'
import { beyondLimits } from './limits.ts'
import { refusedCommand } from './refusal.ts'
import type { Command } from './table.ts'

/** So many commands are looked at before others may have their turn: a few wait for nobody. */
const together = 128

/** Carries out commands in order; one result for each. */
export async function executeCommands(
  family: GenericFamily,
  commands: readonly Command[],
): Promise<(IpvsError | undefined)[]> {
  const results: (IpvsError | undefined)[] = []
  const sent: Command[] = []
  for (const command of commands) {
    const refusal = beyondLimits(command)
    results.push(refusal === undefined ? undefined : refusedCommand(command, refusal))
    if (refusal === undefined) sent.push(command)
    if (results.length % together === 0) await pause()
  }
  const refusals = await family.executeEach({
    count: sent.length,
    command: (index) => commandNumbers[at(sent, index).do],
    write: (writer, index) => {
      encodeCommand(writer, at(sent, index))
    },
  })
  let place = 0
  commands.forEach((command, i) => {
    if (results[i] !== undefined) return
    const refusal = refusals[place++]
    if (refusal !== undefined) results[i] = refusedCommand(command, refusal)
  })
  return results
}

function at(commands: readonly Command[], index: number): Command {
  const command = commands[index]
  if (command === undefined) throw new RangeError(`no command ${index}`)
  return command
}

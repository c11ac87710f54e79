import { Writer, type GenericFamily, type GenericRequest } from '@ipvs-director/linux'
import type { IpvsError } from './client.ts'
import { commandNumbers, encodeCommand } from './encode.ts'
import { beyondLimits } from './limits.ts'
import { refusedCommand } from './refusal.ts'
import type { Command } from './table.ts'

/** So many commands are encoded in one go, some milliseconds of work; then other events get their turn. */
const sliceLength = 2048

/** Carries out commands in order; one result for each. */
export async function executeCommands(
  family: GenericFamily,
  commands: readonly Command[],
): Promise<(IpvsError | undefined)[]> {
  const results: (IpvsError | undefined)[] = []
  const writer = new Writer(sliceLength * 128)
  for (let start = 0; start < commands.length; start += sliceLength) {
    await executeSlice(family, writer, commands.slice(start, start + sliceLength), results)
  }
  return results
}

async function executeSlice(
  family: GenericFamily,
  writer: Writer,
  commands: readonly Command[],
  results: (IpvsError | undefined)[],
): Promise<void> {
  writer.truncate()
  const sent: { readonly command: Command; readonly index: number; readonly end: number }[] = []
  for (const command of commands) {
    const refusal = beyondLimits(command)
    if (refusal === undefined) {
      encodeCommand(writer, command)
      sent.push({ command, index: results.length, end: writer.length })
    }
    results.push(refusal === undefined ? undefined : refusedCommand(command, refusal))
  }
  const bytes = writer.view()
  let start = 0
  const requests = sent.map(({ command, end }): GenericRequest => {
    const payload = bytes.subarray(start, end)
    start = end
    return { command: commandNumbers[command.do], payload }
  })
  const refusals = await family.execute(requests)
  sent.forEach(({ command, index }, i) => {
    const refusal = refusals[i]
    if (refusal !== undefined) results[index] = refusedCommand(command, refusal)
  })
}

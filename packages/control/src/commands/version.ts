import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { Version } from '../model.ts'
import { lengthy } from '../quantities.ts'
import { paragraph } from '../screen.ts'
import { outScreen, printAnswer, printLines, type CommandContext } from './context.ts'

/** `ipvs-ctl version`: of this program and of the director that runs, if one does. */
export async function runVersion(context: CommandContext, { json }: { readonly json: boolean }): Promise<ExitStatus> {
  const { tools, client } = context
  const director = await client.version().catch((error: unknown) => {
    if (error instanceof ControlError) return error
    throw error
  })
  if (json) {
    const told = director instanceof ControlError ? { error: director.message } : director
    printAnswer(context, { ctl: tools.version, node: process.version, director: told })
    return exitStatus.ok
  }
  const screen = outScreen(context)
  printLines(context, [
    `ipvs-ctl ${tools.version}, Node ${process.version}`,
    ...(director instanceof ControlError
      ? paragraph(screen, director.message, { tone: 'dim' })
      : paragraph(screen, directorText(director, tools.clock.wall()))),
  ])
  return exitStatus.ok
}

function directorText({ version, pid, startedAt }: Version, now: number): string {
  return `ipvs-director ${version}, pid ${pid}, up ${lengthy(now - startedAt)}`
}

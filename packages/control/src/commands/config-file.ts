import { ControlError } from '../control-error.ts'
import type { Status } from '../model.ts'
import type { CommandContext } from './context.ts'

/** Where keepalived, and the director, look for the configuration. */
export const usualFile = '/etc/keepalived/keepalived.conf'

/** The file that is meant: the one named, else the one a running director reads, else the usual one. */
export async function configFile({ client }: CommandContext, named: string | undefined): Promise<string> {
  if (named !== undefined) return named
  return (await statusOf(client))?.config.file ?? usualFile
}

/** Of the director that runs here; undefined: none could be asked. */
export async function statusOf(client: CommandContext['client']): Promise<Status | undefined> {
  try {
    return await client.status([])
  } catch (error) {
    if (error instanceof ControlError) return undefined
    throw error
  }
}

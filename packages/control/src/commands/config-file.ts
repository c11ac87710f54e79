import { ControlError } from '../control-error.ts'
import type { CommandContext } from './context.ts'

/** Where keepalived, and the director, look for the configuration. */
export const usualFile = '/etc/keepalived/keepalived.conf'

/** The file that is meant: the one named, else the one a running director reads, else the usual one. */
export async function configFile({ client }: CommandContext, named: string | undefined): Promise<string> {
  if (named !== undefined) return named
  try {
    return (await client.status([])).config.file
  } catch (error) {
    if (error instanceof ControlError) return usualFile
    throw error
  }
}

import type { Config } from '@ipvs-director/config'
import type { Loaded } from './director-options.ts'
import { unchangeable } from './surroundings/settle.ts'

/** What a reload may take of a file that can be read: one that asks for what takes a restart, or is blank, is as one with an error. */
export function reloadable(now: Config | undefined, loaded: Loaded): Loaded {
  if (now === undefined || loaded.config === undefined) return loaded
  const problem = endsAll(now, loaded) ?? unchangeable(now.process, loaded.config.process)
  if (problem === undefined) return loaded
  const { errors, diagnostics } = loaded
  return { ...loaded, errors: errors + 1, diagnostics: [`error: ${problem}`, ...diagnostics] }
}

/** A file that is being written is blank for a moment. */
function endsAll({ virtualServers, vrrp }: Config, { blank = false }: Loaded): string | undefined {
  const runs = virtualServers.length > 0 || vrrp.instances.length > 0
  return blank && runs ? 'nothing is in the file: what runs goes on (to end it, stop the director)' : undefined
}

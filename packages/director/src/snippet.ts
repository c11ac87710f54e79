import { checkers } from '@ipvs-director/checkers'
import { resolve } from 'node:path'
import { filesInMemory, loadConfig, renderDiagnostic, type Config, type VirtualServer } from '@ipvs-director/config'

/** What a snippet of keepalived.conf says. */
export interface Snippet {
  readonly virtualServers: readonly VirtualServer[]
  /** Rendered, errors first. */
  readonly diagnostics: readonly string[]
  readonly errors: number
}

/** How its places are named: `snippet:3:5: …`. */
const name = 'snippet'

/** What is said about files as a whole says nothing about a snippet. */
const aboutWholeFiles: ReadonlySet<string> = new Set(['W011', 'W029'])

/**
 * Reads virtual servers from a text by the same reader as the file, with its groups, definitions and global_defs; these
 * count for the virtual servers of the text alone. It stands for itself: it knows nothing of the file and includes none.
 */
export async function readSnippet(text: string): Promise<Snippet> {
  const read = filesInMemory(new Map([[resolve(name), text]]))
  const { config, diagnostics } = await loadConfig(name, { checkers, read, env: {} })
  const remarks = diagnostics.filter(({ code }) => !aboutWholeFiles.has(code))
  const errors = remarks.filter(({ severity }) => severity === 'error')
  const others = remarks.filter(({ severity }) => severity !== 'error')
  const strays = config === undefined ? [] : straysOf(config)
  return {
    virtualServers: config?.virtualServers ?? [],
    diagnostics: [...strays, ...[...errors, ...others].map((each) => renderDiagnostic(each))],
    errors: errors.length + strays.length,
  }
}

/** What belongs in the file. */
function straysOf({ vrrp, bfdInstances }: Config): string[] {
  const found = [
    ...vrrp.instances.map(({ name: instance }) => `vrrp_instance ${instance}`),
    ...vrrp.syncGroups.map(({ name: group }) => `vrrp_sync_group ${group}`),
    ...bfdInstances.map(({ name: instance }) => `bfd_instance ${instance}`),
  ]
  return found.map((what) => `${name}: only virtual servers can be added at run time; ${what} belongs in the file`)
}

import { seconds, type Millis } from '@ipvs-director/core'
import { readAccounts, resolveIdentity, runScript, type Identity } from '@ipvs-director/linux'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import type { ScriptEnd, ScriptWish } from './port.ts'

/** Who runs a script, or why nobody can. Empty: whoever we are. */
export type ScriptIdentity = (script: ScriptWish) => Partial<Identity> | { readonly problem: string }

/** Runs the script of a probe to its end. What keeps it from running at all is our own failure. */
export async function runProbeScript(
  script: ScriptWish,
  timeout: Millis,
  attempt: Attempt,
  identify: ScriptIdentity,
): Promise<ScriptEnd> {
  const identity = identify(script)
  if ('problem' in identity) throw new ProbeFailure('local', `cannot run ${script.words[0] ?? ''}: ${identity.problem}`)
  const result = await runScript(script.words, { ...identity, timeout, signal: attempt.signal })
  switch (result.kind) {
    case 'cannot start':
      throw new ProbeFailure('local', `cannot run ${script.words[0] ?? ''}: ${result.reason}`)
    case 'stopped':
      if (attempt.ended === 'timeout') return { kind: 'timeout' }
      throw new ProbeFailure('local', 'the prober is stopping')
    default:
      return result
  }
}

/** Accounts change rarely and probes are many. */
const cacheFor = seconds(10)

/**
 * keepalived's order (operations.md §6): the script's own user, else `script_user`, else the user keepalived_script
 * where there is one, else whoever we are.
 */
export function scriptIdentities(scriptUser?: { readonly user: string; readonly group?: string }): ScriptIdentity {
  const known = new Map<string, { readonly until: number; readonly found: ReturnType<ScriptIdentity> }>()
  return (script) => {
    const name = `${script.user ?? ''}\n${script.group ?? ''}`
    const cached = known.get(name)
    if (cached !== undefined && cached.until > performance.now()) return cached.found
    const found = identify(script.user === undefined ? (scriptUser ?? {}) : script)
    known.set(name, { until: performance.now() + cacheFor, found })
    return found
  }
}

function identify({ user, group }: { readonly user?: string; readonly group?: string }): ReturnType<ScriptIdentity> {
  const accounts = readAccounts()
  if (user !== undefined) return resolveIdentity(accounts, user, group)
  return accounts.user('keepalived_script') ?? {}
}

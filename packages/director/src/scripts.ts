import type { Globals, Script } from '@ipvs-director/config'
import { seconds, type Logger } from '@ipvs-director/core'
import { checkScript, readAccounts, resolveIdentity, runScript, type Identity } from '@ipvs-director/linux'
import type { RunScript } from './notify.ts'

/** The user whose scripts run where nobody said otherwise, if there is one (reference/operations.md §6). */
const defaultScriptUser = 'keepalived_script'

/** A notify script that runs this long is not coming back; its process group is ended. */
const patience = seconds(300)

/** Who a script runs as: its own user, `script_user`, `keepalived_script`, else whoever we are. */
export function scriptIdentity(script: Script, globals: Globals): Identity | { readonly problem: string } {
  const accounts = readAccounts()
  if (script.user !== undefined) return resolveIdentity(accounts, script.user, script.group)
  if (globals.scriptUser !== undefined)
    return resolveIdentity(accounts, globals.scriptUser.user, globals.scriptUser.group)
  if (accounts.user(defaultScriptUser) !== undefined) return resolveIdentity(accounts, defaultScriptUser)
  if (globals.enableScriptSecurity) {
    return { problem: 'enable_script_security is set, and there is neither script_user nor a user keepalived_script' }
  }
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
}

/** Runs notify scripts by keepalived's rules of users and safety; what keeps one from running is logged. */
export function scriptRunner(logger: Logger): RunScript {
  return async (script, globals) => {
    const [command = '', ...args] = script.words
    const identity = scriptIdentity(script, globals)
    if ('problem' in identity) throw new Error(identity.problem)
    const check = checkScript(command, identity)
    if (check.kind === 'missing') throw new Error(check.reason)
    if (check.kind === 'unsafe') {
      if (globals.enableScriptSecurity) throw new Error(`SECURITY VIOLATION: ${check.reason}`)
      logger.warn('script.unsafe', `SECURITY VIOLATION: ${command} runs as root, but ${check.reason}`)
    }
    const result = await runScript([check.path, ...args], { ...identity, timeout: patience })
    if (result.kind === 'cannot start') throw new Error(result.reason)
    if (result.kind === 'timeout') logger.warn('script.timeout', `${command} was ended after ${patience / 1000} s`)
  }
}

import type { Globals } from '@ipvs-director/config'
import type { ScriptIdentity } from '@ipvs-director/checkers/probing'
import { seconds, silentLogger, type Logger } from '@ipvs-director/core'
import { checkScript, readAccounts, resolveIdentity, runScript, type Identity } from '@ipvs-director/linux'
import type { RunScript } from './notify.ts'

/** A command with the user and group it names, if it names them. */
export type ScriptWish = Parameters<ScriptIdentity>[0]

/** What `global_defs` says of scripts. */
export type ScriptRules = Pick<
  Globals,
  'scriptUser' | 'enableScriptSecurity' | 'setSupplementaryGroups' | 'useSymlinkPaths'
>

/** What may be run, by whom; or why not. `command`: the program, and the words of the script after its first. */
export type Permission =
  { readonly command: readonly [string, ...string[]]; readonly identity: Identity } | { readonly problem: string }

/** The user whose scripts run where nobody said otherwise, if there is one (reference/operations.md §6). */
const defaultScriptUser = 'keepalived_script'

/** A notify script that runs this long is not coming back; its process group is ended. */
const patience = seconds(300)

/** Accounts and files change rarely and probes are many. */
const rememberFor = seconds(10)

/** Who a script runs as: its own user, `script_user`, `keepalived_script`, else whoever we are. */
function identityOf(script: ScriptWish, globals: ScriptRules): Identity | { readonly problem: string } {
  const accounts = readAccounts()
  const all = globals.setSupplementaryGroups
  if (script.user !== undefined) return resolveIdentity(accounts, script.user, script.group, all)
  if (globals.scriptUser !== undefined)
    return resolveIdentity(accounts, globals.scriptUser.user, globals.scriptUser.group, all)
  if (accounts.user(defaultScriptUser) !== undefined)
    return resolveIdentity(accounts, defaultScriptUser, undefined, all)
  if (globals.enableScriptSecurity) {
    return { problem: 'enable_script_security is set, and there is neither script_user nor a user keepalived_script' }
  }
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
}

/** keepalived's rules of users and safety for one script; what is let pass although it is not safe is logged. */
export function permissionOf(script: ScriptWish, globals: ScriptRules, logger: Logger): Permission {
  const [command = '', ...rest] = script.words
  const identity = identityOf(script, globals)
  if ('problem' in identity) return identity
  if (command.startsWith('</')) return redirection(script.words.join(' '), identity)
  const check = checkScript(command, identity, { keepSymlinks: globals.useSymlinkPaths })
  if (check.kind === 'missing') return { problem: check.reason }
  if (check.kind === 'unsafe') {
    if (globals.enableScriptSecurity) return { problem: `SECURITY VIOLATION: ${check.reason}` }
    logger.warn('script.unsafe', `SECURITY VIOLATION: ${command} runs as root, but ${check.reason}`)
  }
  return { command: [check.path, ...rest], identity }
}

/**
 * keepalived's `"</path"` of a vrrp_script: nothing is run, but a file opened. `/dev/tcp/HOST/PORT` is known to bash alone:
 * where sh is another shell, as in Debian, keepalived's own always fails.
 */
function redirection(text: string, identity: Identity): Permission {
  const shell = /^<\/dev\/(?:tcp|udp)\//.test(text) ? 'bash' : 'sh'
  const check = checkScript(shell, identity)
  if (check.kind === 'missing') return { problem: `${text} needs ${shell}: ${check.reason}` }
  return { command: [check.path, '-c', text], identity }
}

/** Runs notify scripts; what keeps one from running is thrown. */
export function scriptRunner(logger: Logger): RunScript {
  return async (script, globals) => {
    const permission = permissionOf(script, globals, logger)
    if ('problem' in permission) throw new Error(permission.problem)
    const result = await runScript(permission.command, { ...permission.identity, timeout: patience })
    if (result.kind === 'cannot start') throw new Error(result.reason)
    if (result.kind === 'timeout')
      logger.warn('script.timeout', `${script.words[0] ?? ''} was ended after ${patience / 1000} s`)
  }
}

/** Who runs the scripts of MISC_CHECK, by the same rules. */
export function checkIdentities(globals: () => Globals, logger: Logger): ScriptIdentity {
  const known = new Map<string, { readonly until: number; readonly permission: Permission }>()
  return (script) => {
    const name = [script.words[0], script.user, script.group].join('\n')
    let entry = known.get(name)
    if (entry === undefined || entry.until < performance.now()) {
      entry = { until: performance.now() + rememberFor, permission: permissionOf(script, globals(), quietAfter(entry)) }
      known.set(name, entry)
    }
    return 'problem' in entry.permission ? entry.permission : entry.permission.identity
  }

  /** An unsafe script is told of once, not every ten seconds. */
  function quietAfter(earlier: object | undefined): Logger {
    return earlier === undefined ? logger : silentLogger
  }
}

/** Runs the script of a notify FIFO until the signal, by the same rules; says how it ended. */
export function fifoScriptRunner(rules: () => ScriptRules, logger: Logger) {
  return async (script: ScriptWish, path: string, signal: AbortSignal): Promise<string> => {
    const permission = permissionOf(script, rules(), logger)
    if ('problem' in permission) throw new Error(permission.problem)
    const result = await runScript([...permission.command, path], {
      ...permission.identity,
      signal,
      patience: seconds(1),
    })
    switch (result.kind) {
      case 'exit':
        return `exit status ${result.code}`
      case 'signal':
        return result.signal
      case 'cannot start':
        throw new Error(result.reason)
      case 'timeout':
      case 'stopped':
        return result.kind
    }
  }
}

import { describeError, seconds, type Millis } from '@ipvs-director/core'
import { spawn, type ChildProcess } from 'node:child_process'
import type { Identity } from './accounts.ts'

/** How a script ended. `cannot start` says why; `stopped` is what an abort makes of it. */
export type ScriptResult =
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'cannot start'; readonly reason: string }

export interface RunOptions extends Partial<Identity> {
  /** After it the whole process group gets SIGTERM. Without one the script may take for ever. */
  readonly timeout?: Millis
  /** From SIGTERM to SIGKILL; keepalived's 2 s. */
  readonly patience?: Millis
  /** Ends the script the same way, at once. */
  readonly signal?: AbortSignal
  /** The environment to start from; without IFS, LD_PRELOAD and LD_LIBRARY_PATH it is the script's. Default: ours. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** When a killed script has not even ended by SIGKILL (it hangs in the kernel), it is not waited for any longer. */
const lastWait = seconds(1)

/**
 * Runs a command line as keepalived does: no shell (a file without `#!` is run by sh all the same), own process group,
 * stdin, stdout and stderr on /dev/null, no other descriptor, the given user. Never rejects.
 */
export function runScript(words: readonly string[], options: RunOptions = {}): Promise<ScriptResult> {
  const { signal } = options
  if (signal?.aborted === true) return Promise.resolve({ kind: 'stopped' })
  return new Promise((resolve) => {
    let child: ChildProcess
    try {
      child = start(words, options)
    } catch (error) {
      resolve({ kind: 'cannot start', reason: describeError(error) })
      return
    }
    const ending = endGroup(child, options.patience ?? seconds(2), (result) => {
      finish(result)
    })
    const timer =
      options.timeout === undefined
        ? undefined
        : setTimeout(() => {
            ending({ kind: 'timeout' })
          }, options.timeout)
    const onAbort = (): void => {
      ending({ kind: 'stopped' })
    }
    const finish = (result: ScriptResult): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      resolve(result)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    child.on('error', (error) => {
      finish({ kind: 'cannot start', reason: describeError(error) })
    })
    child.on('exit', (code, by) => {
      if (ending.result() !== undefined) ending.ended()
      else if (by !== null) finish({ kind: 'signal', signal: by })
      else finish({ kind: 'exit', code: code ?? 0 })
    })
  })
}

function start(words: readonly string[], options: RunOptions): ChildProcess {
  const [file = '', ...args] = inGroups(words, options)
  return spawn(file, args, {
    stdio: 'ignore',
    detached: true,
    env: cleanEnvironment(options.env ?? process.env),
    ...(options.groups === undefined && options.uid !== undefined ? { uid: options.uid } : {}),
    ...(options.groups === undefined && options.gid !== undefined ? { gid: options.gid } : {}),
  })
}

/** Node cannot give a child supplementary groups; util-linux's setpriv can. */
function inGroups(words: readonly string[], { uid, gid, groups }: RunOptions): readonly string[] {
  if (groups === undefined) return words
  const ids = [`--reuid=${uid ?? process.getuid?.() ?? 0}`, `--regid=${gid ?? process.getgid?.() ?? 0}`]
  return ['setpriv', ...ids, groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`, '--', ...words]
}

/** What keepalived takes out: what could make a shell or the loader do something else than the script's author meant. */
export function cleanEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const clean: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && name !== 'IFS' && name !== 'LD_PRELOAD' && name !== 'LD_LIBRARY_PATH')
      clean[name] = value
  }
  return clean
}

interface Ending {
  (result: ScriptResult): void
  /** Set once it was asked to end. */
  result(): ScriptResult | undefined
  /** The script itself has ended; what it started may not have. */
  ended(): void
}

/** Ends a whole process group: SIGTERM, SIGKILL to whatever is left of it after `patience`. Reports once. */
function endGroup(child: ChildProcess, patience: Millis, done: (result: ScriptResult) => void): Ending {
  let why: ScriptResult | undefined
  let killer: NodeJS.Timeout | undefined
  const ending = (result: ScriptResult): void => {
    if (why !== undefined || child.pid === undefined) return
    why = result
    sendToGroup(child.pid, 'SIGTERM')
    killer = setTimeout(() => {
      if (child.pid !== undefined) sendToGroup(child.pid, 'SIGKILL')
      setTimeout(done, lastWait, result).unref()
    }, patience)
  }
  return Object.assign(ending, {
    result: () => why,
    ended: () => {
      if (why === undefined) return
      // Nobody left in the group: its number may be given to somebody else, so nothing more is sent to it.
      if (child.pid === undefined || !sendToGroup(child.pid, 0)) clearTimeout(killer)
      done(why)
    },
  })
}

/** False when nobody is in the group any more. */
function sendToGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}

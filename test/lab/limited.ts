import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import type { Millis } from '@ipvs-director/core'

/** How a command ended: its exit status (128 + signal for a killed one), or that its time was up. */
export type Ended = { readonly end: 'exit'; readonly code: number } | { readonly end: 'timeout' }

export interface LimitedOptions {
  readonly timeout: Millis
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdio: StdioOptions
  /** False where the command must stay in the foreground of a terminal. */
  readonly ownGroup: boolean
}

const signals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1, SIGKILL: 9 } as const
const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs a command that must not outlive its time or this process: its whole process group is killed when the time is
 * up, and when this process is asked to end.
 */
export function runLimited(command: readonly [string, ...string[]], options: LimitedOptions): Promise<Ended> {
  const [program, ...args] = command
  const { env, cwd, stdio, ownGroup: detached } = options
  const child = spawn(program, args, { env, cwd, stdio, detached })
  const kill = (): void => {
    if (child.pid !== undefined) killTree(child.pid, detached)
  }
  const guard = child.pid !== undefined && detached ? startGuard(child.pid) : undefined
  const stop = (signal: (typeof passedOn)[number]): void => {
    kill()
    process.exit(128 + signals[signal])
  }
  process.on('exit', kill)
  for (const signal of passedOn) process.on(signal, stop)
  let late = false
  const timer = setTimeout(() => {
    late = true
    kill()
  }, options.timeout)
  return new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      resolve(late ? { end: 'timeout' } : { end: 'exit', code: code ?? 128 + signalNumber(signal) })
    })
  }).finally(() => {
    clearTimeout(timer)
    guard?.kill('SIGKILL')
    kill()
    process.off('exit', kill)
    for (const signal of passedOn) process.off(signal, stop)
  })
}

/**
 * Kills a process group as soon as this process is no more, however it ended: its end closes the pipe that the guard
 * reads from.
 */
function startGuard(group: number): ChildProcess {
  const guard = spawn('sh', ['-c', 'read nothing; kill -s KILL -- "-$1"', 'sh', String(group)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.on('error', () => undefined)
  guard.unref()
  return guard
}

const signalNumber = (signal: string | null): number =>
  signal !== null && signal in signals ? signals[signal as keyof typeof signals] : 0

/** Kills a process, with `group` all of its process group; one that is gone already is no error. */
export function killTree(pid: number, group: boolean, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(group ? -pid : pid, signal)
  } catch {
    // ESRCH: it has ended
  }
}

import { spawn, type ChildProcess } from 'node:child_process'
import { seconds, type Millis } from '@ipvs-director/core'
import { killTree } from './limited.ts'
import { toolEnvironment } from './tools.ts'
import { until } from './until.ts'

/** What a finished command left. */
export interface Result {
  /** The exit status; 128 + n when signal n ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface StartOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Given to the command as its standard input. */
  readonly input?: string
}

export interface RunOptions extends StartOptions {
  /** Default 20 s; a command that is not done then is killed and the promise rejected. */
  readonly timeout?: Millis
  /** Rejects, with what the command wrote, unless it exits with 0. */
  readonly check?: boolean
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

/** A program that runs in a lab, in a process group of its own, with what it has written so far. */
export class LabProcess {
  readonly command: readonly string[]
  readonly #child: ChildProcess
  readonly #ended: Promise<number>
  #stdout = ''
  #stderr = ''
  #code: number | undefined

  constructor(command: readonly string[], options: StartOptions = {}) {
    const [program = '', ...args] = command
    this.command = command
    this.#child = spawn(program, args, {
      detached: true,
      cwd: options.cwd,
      env: { ...toolEnvironment(), ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    this.#child.stdin?.on('error', () => undefined)
    this.#child.stdin?.end(options.input)
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#stderr += error.message
        resolve((this.#code = 127))
      })
      // 'close' and not 'exit': all that it wrote has arrived by then
      this.#child.once('close', (code, signal) => {
        resolve((this.#code = code ?? 128 + (signalNumbers[signal ?? ''] ?? 0)))
      })
    })
  }

  /** The process's number, as the host's `kill` wants it. */
  get pid(): number {
    if (this.#child.pid === undefined)
      throw new Error(`${this.command.join(' ')} could not be started: ${this.#stderr}`)
    return this.#child.pid
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The exit status; undefined while it runs. */
  get code(): number | undefined {
    return this.#code
  }

  /** Resolves with the exit status, and never before all output has been read. */
  get ended(): Promise<number> {
    return this.#ended
  }

  /** Sends a signal to the process itself. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Asks it to end; after `within` (default 5 s) its whole group is killed. Resolves with the exit status. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', within: Millis = seconds(5)): Promise<number> {
    this.signal(signal)
    const timer = setTimeout(() => {
      this.kill()
    }, within)
    const code = await this.#ended
    clearTimeout(timer)
    return code
  }

  /** Kills its process group at once, whether or not its leader still lives. */
  kill(): void {
    if (this.#child.pid !== undefined) killTree(this.#child.pid, true)
  }

  /** Waits until its output matches. Fails at once when it ends without that. */
  async says(pattern: RegExp, within: Millis = seconds(10)): Promise<void> {
    await until(`${this.command.join(' ')} says ${pattern.source}`, within, () => {
      if (pattern.test(this.#stdout) || pattern.test(this.#stderr)) return true
      if (this.#code !== undefined)
        throw new Error(`it ended with ${this.#code}\n${lastLines(this.#stdout + this.#stderr)}`)
      return false
    })
  }
}

/** Waits for a process that was started to do one thing. */
export async function finish(process: LabProcess, options: RunOptions): Promise<Result> {
  const timeout = options.timeout ?? seconds(20)
  const state = { late: false }
  const timer = setTimeout(() => {
    state.late = true
    process.kill()
  }, timeout)
  const code = await process.ended
  clearTimeout(timer)
  const told = (): string => `${process.command.join(' ')}\n${lastLines(process.stdout + process.stderr)}`
  if (state.late) throw new Error(`not done after ${timeout / 1000} s: ${told()}`)
  if (options.check === true && code !== 0) throw new Error(`exit status ${code}: ${told()}`)
  return { code, stdout: process.stdout, stderr: process.stderr }
}

/** Enough to see what went wrong. */
const lastLines = (text: string): string => text.split('\n').slice(-25).join('\n')

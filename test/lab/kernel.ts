import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { seconds, type Millis } from '@ipvs-director/core'
import { runLimited } from './limited.ts'
import { allowedProcessors, idlestProcessor } from './processors.ts'
import { findProgram, toolEnvironment, umlModules } from './tools.ts'
import { runInGuest, type GuestEnded } from './uml.ts'

/** Which kernel with IPVS the lab can use, or why there is none and what to do about it. */
export type Kernel =
  | { readonly kind: 'host' }
  | { readonly kind: 'uml'; readonly program: string }
  | { readonly kind: 'none'; readonly reason: string }

/**
 * The host's own kernel where it has IPVS and we are root, else user-mode Linux. The environment variable
 * IPVS_LAB_KERNEL (host, uml or none) asks for one of them only.
 */
export function chooseKernel(wish: string | undefined = process.env['IPVS_LAB_KERNEL']): Kernel {
  if (wish === 'none') return { kind: 'none', reason: 'IPVS_LAB_KERNEL=none asks for no kernel with IPVS.' }
  const host = wish === 'uml' ? 'not wanted (IPVS_LAB_KERNEL=uml)' : whyNotHost()
  if (host === undefined) return { kind: 'host' }
  const uml = wish === 'host' ? 'not wanted (IPVS_LAB_KERNEL=host)' : umlProgram()
  if (typeof uml !== 'string') return { kind: 'uml', program: uml.program }
  return {
    kind: 'none',
    reason: `No kernel with IPVS can be had. This machine’s own: ${host}. User-mode Linux: ${uml}.`,
  }
}

function whyNotHost(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can use it'
  if (!existsSync('/proc/net/ip_vs')) quietly('modprobe', ['ip_vs'])
  if (!existsSync('/proc/net/ip_vs')) return 'it has no ip_vs module'
  if (!quietly('unshare', ['--net', 'true'])) return 'it does not let us make network namespaces'
  return undefined
}

function umlProgram(): { program: string } | string {
  if (process.arch !== 'x64') return `Debian has none for ${process.arch}`
  const program = findProgram('linux.uml')
  if (program === undefined) return 'install the Debian package user-mode-linux'
  if (!existsSync(umlModules)) return `its modules are not in ${umlModules}; reinstall the package user-mode-linux`
  if (findProgram('modprobe') === undefined) return 'install the Debian package kmod'
  return { program }
}

const quietly = (program: string, args: readonly string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore', env: toolEnvironment() }).status === 0

export interface RunOptions {
  readonly cwd?: string
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** All of it, boot included; default 5 minutes. */
  readonly timeout?: Millis
  /** Of a guest, in MiB; taken lazily; default 2048. */
  readonly memory?: number
  /** Hands this process's terminal to the command. */
  readonly terminal?: boolean
  /** Of a guest: which of the processors there are it stays on, counted from 0; default the one with the least to do. */
  readonly processor?: number
}

/**
 * Runs a command as root on a kernel with IPVS: on the host's, or in a guest booted for it. The output streams to this
 * process's. Use {@link describeEnd} for a sentence about an end that is not an exit.
 */
export async function runOnKernel(
  kernel: Exclude<Kernel, { kind: 'none' }>,
  command: readonly [string, ...string[]],
  options: RunOptions = {},
): Promise<GuestEnded> {
  const cwd = options.cwd ?? process.cwd()
  const env = { ...toolEnvironment(), ...options.env, IPVS_LAB_KERNEL: 'host' }
  const timeout = options.timeout ?? seconds(300)
  const terminal = options.terminal ?? false
  if (kernel.kind === 'uml') {
    const memory = options.memory ?? 2048
    return runInGuest({
      program: await onOneProcessor(kernel.program, options),
      command,
      cwd,
      env,
      timeout,
      memory,
      terminal,
    })
  }
  return runLimited(command, { timeout, cwd, env, stdio: 'inherit', ownGroup: !terminal })
}

/**
 * A guest has one processor, and each of its system calls goes to and fro between two processes: three times as fast where
 * both stay on one of ours.
 */
async function onOneProcessor(program: string, { processor }: RunOptions): Promise<readonly [string, ...string[]]> {
  const taskset = findProgram('taskset')
  const allowed = allowedProcessors()
  if (taskset === undefined || allowed.length < 2) return [program]
  const chosen = processor === undefined ? await idlestProcessor(allowed) : allowed[processor % allowed.length]
  return chosen === undefined ? [program] : [taskset, '-c', String(chosen), program]
}

/** How a run ended, for people. */
export function describeEnd(ended: GuestEnded, timeout: Millis): string {
  if (ended.end === 'exit') return `it ended with exit status ${ended.code}`
  if (ended.end === 'timeout') return `it was not done after ${timeout / 1000} s and was killed`
  return `the guest kernel stopped before the command was done; its last words:\n${ended.kernelLog.slice(-2000)}`
}

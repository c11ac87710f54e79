import { chmodSync, mkdirSync, mkdtempSync, openSync, closeSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Millis } from '@ipvs-director/core'
import { guestInit } from './guest-init.ts'
import { runLimited } from './limited.ts'
import { readIfThere, root } from './root.ts'
import { umlModules } from './tools.ts'

/** How a command inside a guest ended. `lost`: the guest stopped without the command's exit status. */
export type GuestEnded =
  | { readonly end: 'exit'; readonly code: number }
  | { readonly end: 'timeout' }
  | { readonly end: 'lost'; readonly kernelLog: string }

export interface GuestOptions {
  /** What boots it, without the arguments of the kernel. */
  readonly program: readonly [string, ...string[]]
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly timeout: Millis
  /** The guest's memory in MiB; taken lazily. */
  readonly memory: number
  /** Hands this process's terminal to the command. */
  readonly terminal: boolean
}

/**
 * Boots user-mode Linux on the host's own files, runs one command in it as root and powers it off. Its output appears
 * on this process's standard output and error as it comes. Needs no privilege.
 */
export async function runInGuest(options: GuestOptions): Promise<GuestEnded> {
  const folder = mkdtempSync(join(tmpdir(), 'ipvs-lab-'))
  const statusFile = join(folder, 'status')
  const kernelLog = join(folder, 'kernel.log')
  const log = openSync(kernelLog, 'w')
  const { command, cwd, env } = options
  const terminal = options.terminal ? screenSize() : undefined
  const init = join(folder, 'init')
  writeFileSync(init, guestInit({ command, cwd, env, modules: umlModules, statusFile, terminal }))
  chmodSync(init, 0o755)
  const remove = (): void => {
    rmSync(folder, { recursive: true, force: true })
  }
  process.on('exit', remove)
  const memoryFolder = folderForMemory(options.memory)
  try {
    const ended = await runLimited([...options.program, ...kernelArguments(options, folder)], {
      timeout: options.timeout,
      cwd: folder,
      env: { ...options.env, TMPDIR: memoryFolder },
      stdio: [options.terminal ? 'inherit' : 'ignore', 'inherit', 'inherit', log],
      ownGroup: true, // it would make itself one otherwise, and could not be found to be killed
    })
    if (ended.end === 'timeout') return ended
    const status = readIfThere(statusFile)?.trim()
    if (status !== undefined && /^\d+$/.test(status)) return { end: 'exit', code: Number(status) }
    return { end: 'lost', kernelLog: readIfThere(kernelLog) ?? '' }
  } finally {
    closeSync(log)
    process.off('exit', remove)
    remove()
  }
}

/** Console 0 is the command's output, 1 its errors, 2 the kernel's own messages (descriptor 3). */
function kernelArguments(options: GuestOptions, folder: string): string[] {
  const consoles = options.terminal ? ['con0=fd:0,fd:1'] : ['con0=null,fd:1', 'con1=null,fd:2']
  return [
    `mem=${options.memory}M`,
    'rootfstype=hostfs',
    'rw',
    `init=${join(folder, 'init')}`,
    `uml_dir=${folder}`,
    'umid=guest',
    'con=null',
    ...consoles,
    'con2=null,fd:3',
    'console=tty2',
    'quiet',
  ]
}

const screenSize = (): { rows: number; columns: number } => ({
  rows: process.stdout.rows,
  columns: process.stdout.columns,
})

/**
 * The guest's memory is a file that must be mapped executable. A tmpfs is fastest; a container's /dev/shm is often too
 * small (writing past its end kills the guest) or mounted noexec.
 */
function folderForMemory(memory: number): string {
  const candidates = ['/dev/shm', tmpdir()]
  // Another guest may run beside this one.
  const found = candidates.find((folder) => hasRoom(folder, 2 * memory) && !isNoexec(folder))
  if (found !== undefined) return found
  const own = join(root, '.cache/memory')
  mkdirSync(own, { recursive: true })
  return own
}

function hasRoom(folder: string, memory: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize > memory * 1024 * 1024
  } catch {
    return false
  }
}

function isNoexec(folder: string): boolean {
  const mounts = (readIfThere('/proc/self/mounts') ?? '').split('\n').map((line) => line.split(' '))
  const inside = mounts.filter(
    ([, at]) => at !== undefined && (at === '/' || folder === at || folder.startsWith(`${at}/`)),
  )
  const deepest = inside.reduce<string[] | undefined>(
    (best, mount) => ((mount[1]?.length ?? 0) >= (best?.[1]?.length ?? 0) ? mount : best),
    undefined,
  )
  return deepest?.[3]?.split(',').includes('noexec') ?? false
}

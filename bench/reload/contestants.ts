import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { millis, type Millis } from '@ipvs-director/core'
import type { Host } from '../../test/lab/index.ts'
import { root } from '../../test/lab/root.ts'

/** A program that runs and can be told to read its file again. */
export interface Contestant {
  /** How long it took from the request to the moment at which all is done. */
  reload(config: string): Promise<Millis>
  /**
   * The same with questions to the control socket one after the other, which take their share of the time: the longest that one of
   * them waited. Undefined: there is none.
   */
  reloadAsked?(config: string): Promise<Millis>
  /** Resident bytes of all its processes. */
  resident(): number
  /** Of each process: the first is the one that started the others. */
  residents(): readonly number[]
  stop(): Promise<void>
}

/** Where it runs, and on what table. */
export interface Place {
  readonly folder: string
  /** Where there is IPVS; undefined: here, where the director takes its table in memory, and keepalived a shim. */
  readonly host: Host | undefined
  readonly shim: string | undefined
}

/** How long a program may work without an end: keepalived's reload is quadratic, and slower still in the lab's kernel. */
export const patience = 120_000

/** A program that worked longer than that. */
export class Impatience extends Error {
  override readonly name = 'Impatience'
}

/** Starts the built director on a configuration; resolves when it serves and is quiet. */
export async function startDirector(place: Place, config: string): Promise<Contestant> {
  const { folder, host } = place
  const [file, state, log] = ['ours.conf', 'state', 'ours.log'].map((name) => join(folder, name)) as [string, string, string] // prettier-ignore
  rmSync(state, { recursive: true, force: true })
  writeFileSync(file, config)
  const words = [join(root, 'build/ipvs-director.js'), '-n', '-f', file, '--state-dir', state]
  const memory = host === undefined ? ['--memory-ipvs'] : []
  const child = started(host, [process.execPath, ...words, ...memory], log, {})
  const socket = join(state, 'control.sock')
  await until(() => existsSync(socket) && readFileSync(log, 'utf8').includes('Startup complete'))
  await quiet(child.pid)
  const reload = async (next: string): Promise<Millis> => {
    writeFileSync(file, next)
    const began = performance.now()
    const answer = JSON.parse(await ask(socket, 'POST', '/v1/reload')) as { ok: boolean }
    const took = millis(performance.now() - began)
    if (!answer.ok) throw new Error('the director refused the reload')
    return took
  }
  return {
    async reload(next) {
      const took = await reload(next)
      await quiet(child.pid)
      return took
    },
    async reloadAsked(next) {
      const over = new AbortController()
      let longest = 0
      const asking = (async () => {
        while (!over.signal.aborted) {
          const asked = performance.now()
          await ask(socket, 'GET', '/v1/version')
          longest = Math.max(longest, performance.now() - asked)
          await sleep(1)
        }
      })()
      await reload(next)
      over.abort()
      await asking
      await quiet(child.pid)
      return millis(longest)
    },
    resident: () => family(child.pid).reduce((sum, pid) => sum + residentOf(pid), 0),
    residents: () => family(child.pid).map(residentOf),
    stop: () => ended(child),
  }
}

/** Starts keepalived's checker, which is told to log nothing; resolves when it is quiet. */
export async function startKeepalived(program: string, place: Place, config: string): Promise<Contestant> {
  const { folder, host, shim } = place
  const [file, log] = ['theirs.conf', 'theirs.log'].map((name) => join(folder, name)) as [string, string]
  writeFileSync(file, config)
  const pids = ['-p', join(folder, 'parent.pid'), '-c', join(folder, 'checker.pid')]
  const words = [program, '-n', '-G', '-C', '-f', file, ...pids]
  const child = started(host, words, log, shim === undefined ? {} : { LD_PRELOAD: shim })
  let checker = 0
  try {
    await until(() => children(child.pid).length > 0)
    await sleep(500)
    checker = children(child.pid)[0] ?? 0
    await quiet(checker)
  } catch (error) {
    await ended(child)
    throw error
  }
  return {
    async reload(next) {
      writeFileSync(file, next)
      const before = spentBy(checker)
      const began = performance.now()
      child.kill('SIGHUP')
      // Its checks are an hour apart: it works when it reads the file.
      await until(() => spentBy(checker) > before + 1e6, 1)
      const at = await quiet(checker)
      return millis(at - began)
    },
    resident: () => family(child.pid).reduce((sum, pid) => sum + residentOf(pid), 0),
    residents: () => family(child.pid).map(residentOf),
    stop: () => ended(child),
  }
}

function started(host: Host | undefined, words: readonly string[], log: string, env: NodeJS.ProcessEnv): ChildProcess {
  const fd = openSync(log, 'w')
  const [program = '', ...more] = host?.inside(words) ?? words
  const child = spawn(program, more, { stdio: ['ignore', fd, fd], env: { ...process.env, ...env } })
  closeSync(fd)
  return child
}

/** One that works for minutes does not hear that it is to end, nor does it see that its parent is gone. */
async function ended(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const pids = family(child.pid)
  child.kill('SIGTERM')
  const deaf = setTimeout(() => {
    for (const pid of pids) kill(pid)
  }, 20_000)
  await gone
  clearTimeout(deaf)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

async function until(what: () => boolean, every = 20): Promise<void> {
  const limit = performance.now() + patience
  while (!what()) {
    if (performance.now() > limit) throw new Impatience('waited in vain')
    await sleep(every)
  }
}

/**
 * Resolves with the moment from which a process slept: a program of one thread that works does not. It must have slept
 * whenever it was looked at for a while.
 */
async function quiet(pid: number | undefined): Promise<number> {
  let since: number | undefined
  const limit = performance.now() + patience
  for (;;) {
    const now = performance.now()
    const spent = spentBy(pid)
    await sleep(3)
    const sleeps = stateOf(pid) === 'S' && spentBy(pid) - spent < 1e6
    since = sleeps ? (since ?? now) : undefined
    if (since !== undefined && performance.now() - since > 300) return since
    if (performance.now() > limit) throw new Impatience('it is never quiet')
  }
}

const stateOf = (pid = 0): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? ''

/** Nanoseconds on a processor, of the main thread. */
const spentBy = (pid = 0): number => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0])

function children(pid = 0): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .split(' ')
      .filter((word) => word.trim() !== '')
      .map(Number),
  )
}

const family = (pid = 0): number[] => [pid, ...children(pid).flatMap((child) => family(child))]

const residentOf = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)

function ask(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers: { host: 'director' } }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => (text += part))
      answer.once('end', () => {
        resolve(text)
      })
    })
    asked.once('error', reject)
    asked.end()
  })
}

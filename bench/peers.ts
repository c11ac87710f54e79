import { readFileSync, existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { millis, seconds, type Millis } from '@ipvs-director/core'
import { finish, LabProcess, root } from '../test/lab/index.ts'
import { timed } from './measure.ts'

/** Empties the kernel's table, and waits until the kernel has nothing left to free: that goes on after the answer. */
export async function clear(): Promise<void> {
  await finish(new LabProcess(['ipvsadm', '-C']), { check: true })
  const limit = performance.now() + seconds(20)
  while (performance.now() < limit) {
    const before = idleTicks()
    await sleep(200)
    if (idleTicks() - before >= 16) return
  }
}

/** The fourth figure of the first line of /proc/stat (proc(5)): ticks of 10 ms in which the processors had nothing to do. */
const idleTicks = (): number => Number(readFileSync('/proc/stat', 'utf8').split(/\s+/, 5)[4])

/** `ipvsadm -R`, from its start to its end. */
export async function ipvsadmRestore(rules: string): Promise<Millis> {
  await clear()
  return timed(() =>
    finish(new LabProcess(['ipvsadm', '-R'], { input: rules }), { check: true, timeout: seconds(120) }),
  )
}

/** `ipvsadm -Ln`. */
export const ipvsadmList = (): Promise<Millis> =>
  timed(() => finish(new LabProcess(['ipvsadm', '-Ln']), { check: true, timeout: seconds(120) }))

/** Lines of /proc/net/ip_vs that are destinations. */
export const destinationsInKernel = (): number =>
  readFileSync('/proc/net/ip_vs', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('  -> ')).length - 1

/**
 * keepalived from its start to a full table. It does not say when it is done, and looking at the table would cost more
 * than filling it; so its checker process is watched: no check is due yet, so it is done when it last used processor time.
 */
export async function keepalivedStart(file: string, folder: string, destinations: number): Promise<Millis> {
  await clear()
  const began = performance.now()
  const pids = ['-p', join(folder, 'ka.pid'), '-c', join(folder, 'ka-check.pid')]
  const keepalived = new LabProcess(['keepalived', '-n', '-l', '-C', '-f', file, ...pids])
  try {
    const done = (await lastWork(keepalived)) - began
    expectFull('keepalived', destinations)
    return millis(done)
  } finally {
    await keepalived.stop('SIGTERM', seconds(30))
  }
}

/** When the process and its children last used processor time, once they have not for a while. */
async function lastWork(process: LabProcess): Promise<number> {
  const quiet = seconds(0.4)
  const started = performance.now()
  let [used, since] = [-1, started]
  while (performance.now() - since < quiet || used <= 0) {
    if (process.code !== undefined) throw new Error(`keepalived ended with ${process.code}: ${process.stderr}`)
    if (performance.now() - started > seconds(120)) throw new Error('keepalived never came to rest')
    const ticks = await ticksUsed(process.pid)
    if (ticks !== used) [used, since] = [ticks, performance.now()]
    await sleep(10)
  }
  return since
}

/** utime + stime of a process and its children in ticks of 10 ms, by /proc/PID/stat (proc(5)). */
async function ticksUsed(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  let ticks = 0
  for (const each of [pid, ...children.trim().split(' ').filter(Boolean)]) {
    const stat = await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
  }
  return ticks
}

const directorProgram = join(root, 'build/ipvs-director.js')
export const hasDirector = (): boolean => existsSync(directorProgram)

/** Our director from its start (Node's included) until it says that the table is as it should be. */
export async function directorStart(file: string, folder: string, destinations: number): Promise<Millis> {
  await clear()
  const began = performance.now()
  const director = new LabProcess([process.execPath, directorProgram, '-n', '-l', '-f', file, '--state-dir', folder])
  try {
    await director.says(/Startup complete/, seconds(120))
    const taken = millis(performance.now() - began)
    expectFull('ipvs-director', destinations)
    return taken
  } finally {
    await director.stop('SIGTERM', seconds(30))
  }
}

/** Nobody answers the checks, so the few that fell due meanwhile have taken servers out again. */
function expectFull(who: string, destinations: number): void {
  const found = destinationsInKernel()
  if (found > destinations || found < 0.98 * destinations)
    throw new Error(`${who} has put ${found} of ${destinations} destinations into the table`)
}

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Host } from './host.ts'
import { finish, LabProcess } from './process.ts'
import { setUpScript, tearDownScript, type LabSpec } from './spec.ts'
import { toolEnvironment } from './tools.ts'

/** A lab: declared, brought up, used, taken down. */
export interface Lab<HostName extends string = string> {
  /** Starts every namespace's name: `lab4711x1`. */
  readonly prefix: string
  readonly spec: LabSpec<HostName>
  readonly hosts: Readonly<Record<HostName, Host>>
  /** Makes the namespaces, links, addresses and routes. Needs root. */
  up(): Promise<void>
  /** Kills what was started in it and removes it. Never fails because something is gone already. */
  down(): Promise<void>
  /** Called at the beginning of {@link down}: for servers that a test keeps in its own process. */
  onDown(close: () => Promise<void> | void): void
}

let count = 0

/** A lab by its declaration. Nothing happens before `up`; two labs can be up at the same time. */
export function defineLab<HostName extends string, Network extends string>(
  spec: LabSpec<HostName, Network>,
): Lab<HostName> {
  const prefix = `lab${process.pid}x${++count}`
  const folder = mkdtempSync(join(tmpdir(), `${prefix}-`))
  const processes = new Set<LabProcess>()
  const closing: (() => Promise<void> | void)[] = []
  const names = Object.keys(spec.hosts) as HostName[]
  const track = (started: LabProcess): void => {
    processes.add(started)
    void started.ended.then(() => processes.delete(started))
  }
  const hosts = Object.fromEntries(
    names.map((name) => [name, new Host(name, prefix, join(folder, name), track)]),
  ) as Record<HostName, Host>

  return {
    prefix,
    spec,
    hosts,
    async up() {
      removeAbandoned()
      await finish(new LabProcess(['sh'], { input: setUpScript(prefix, spec) }), { check: true })
    },
    async down() {
      for (const close of closing.splice(0)) await close()
      const left = [...processes]
      for (const started of left) started.kill()
      await Promise.all(left.map((started) => started.ended))
      await finish(new LabProcess(['sh'], { input: tearDownScript(prefix, spec) }), {})
      rmSync(folder, { recursive: true, force: true })
    },
    onDown(close) {
      closing.push(close)
    },
  }
}

/** A lab that is up. */
export async function upLab<HostName extends string, Network extends string>(
  spec: LabSpec<HostName, Network>,
): Promise<Lab<HostName>> {
  const lab = defineLab(spec)
  try {
    await lab.up()
  } catch (cause) {
    await lab.down()
    throw cause
  }
  return lab
}

/** Removes namespaces of labs whose process is no more (it was killed before it could take its lab down). */
function removeAbandoned(): void {
  if (!existsSync('/run/netns')) return
  const abandoned = readdirSync('/run/netns').filter((name) => {
    const pid = /^lab(\d+)x\d+[-.]/.exec(name)?.[1]
    return pid !== undefined && !existsSync(`/proc/${pid}`)
  })
  const input = abandoned.map((name) => `netns del ${name}\n`).join('')
  if (input !== '')
    spawnSync('ip', ['-force', '-batch', '-'], { input, stdio: ['pipe', 'ignore', 'ignore'], env: toolEnvironment() })
}

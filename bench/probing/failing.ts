import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Said } from './direct.ts'
import { buildServers, now, serverAddress } from './servers.ts'

/**
 * `npm run bench -- probing failing [SERVERS [INTERVAL [FAILURES]]]`: from a failure to the table, through a whole director.
 * First some servers fail one after the other, each at a moment of its own (an unreachable route); then all at once (their
 * process dies). 10,000 servers every second, and 5 failures, where nothing is said.
 */
export async function failing(words: readonly string[], self: readonly string[]): Promise<number> {
  const [servers = 10_000, interval = 1, failures = 5] = words.map(Number)
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const running: ChildProcess[] = []
  const start = (program: string, args: readonly string[]): ChildProcess => {
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TMPDIR: folder },
    })
    running.push(child)
    return child
  }
  try {
    const cheap = buildServers(folder)
    const [program = '', ...args] = cheap === undefined ? [...self, 'probing', '--respond', 'TCP_CHECK'] : [cheap]
    const responder = start(program, args)
    await sleep(2000)
    const director = start(self[0] ?? '', [...self.slice(1), 'probing', '--direct', `${servers}`, `${interval}`])
    const heard = listenTo(director)
    const checked = await heard.next(({ say }) => say === 'checked')
    if (checked.say !== 'checked') return 1
    const table = checked.table === 'kernel' ? "the kernel's table" : 'a table in memory'
    await sleep(2000)
    if (heard.absent().size > 0) {
      console.log(
        `${heard.absent().size} of ${servers} servers are out though none has failed: too much for this machine`,
      )
      return 1
    }
    const single: number[] = []
    for (let i = 0; i < failures; i++) {
      await sleep(Math.random() * 1000 * interval)
      const address = serverAddress(Math.floor(((i + 0.5) * servers) / failures))
      const gone = heard.next((said) => said.say === 'wrote' && said.gone.includes(address))
      const at = now()
      spawnSync('ip', ['route', 'add', 'unreachable', `${address}/32`, 'table', 'local'])
      const said = await gone
      if (said.say === 'wrote') single.push(said.at - at)
    }
    const flapped = heard.absent().size - failures
    if (flapped > 0) console.log(`${flapped} servers were out that had not failed: this machine is too slow for that`)
    const worst = Math.max(0, ...single)
    console.log(
      `one of ${servers} servers fails, checked every ${interval} s: out of ${table} after ${times(single)}; ` +
        `at worst ${Math.round(worst - 1000 * interval)} ms beyond the interval`,
    )
    const all = heard.empty(servers)
    const at = now()
    responder.kill('SIGKILL')
    const last = await all
    console.log(
      `all ${servers} fail at once: the last is out of ${table} after ${Math.round(last - at)} ms, ` +
        `${Math.round(last - at - 1000 * interval)} ms beyond the interval`,
    )
    return 0
  } finally {
    for (const child of running) child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

const times = (all: readonly number[]): string => all.map((each) => `${Math.round(each)} ms`).join(', ')

function listenTo(child: ChildProcess): {
  readonly next: (wanted: (said: Said) => boolean) => Promise<Said>
  /** Servers that are not in the table. */
  readonly absent: () => ReadonlySet<string>
  /** When the last of so many was out. */
  readonly empty: (servers: number) => Promise<number>
} {
  const listeners = new Set<(said: Said) => void>()
  const absent = new Set<string>()
  let rest = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const said = JSON.parse(line) as Said
      if (said.say === 'wrote') for (const each of said.back) absent.delete(each)
      if (said.say === 'wrote') for (const each of said.gone) absent.add(each)
      for (const hear of [...listeners]) hear(said)
    }
  })
  const until = <T>(answer: (said: Said) => T | undefined): Promise<T> =>
    new Promise((resolve, reject) => {
      const fail = (): void => {
        reject(new Error('the director ended'))
      }
      child.once('exit', fail)
      const hear = (said: Said): void => {
        const found = answer(said)
        if (found === undefined) return
        listeners.delete(hear)
        child.off('exit', fail)
        resolve(found)
      }
      listeners.add(hear)
    })
  return {
    next: (wanted) => until((said) => (wanted(said) ? said : undefined)),
    absent: () => absent,
    empty: (servers) => until((said) => (said.say === 'wrote' && absent.size === servers ? said.at : undefined)),
  }
}

import { millis, seconds } from '@ipvs-director/core'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cleanEnvironment, runScript } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'run-'))
chmodSync(folder, 0o777)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function script(name: string, body: string): string {
  const path = join(folder, name)
  writeFileSync(path, body)
  chmodSync(path, 0o755)
  return path
}
const output = (name: string): string => readFileSync(join(folder, name), 'utf8').trim()
const alive = (pid: number): boolean => {
  try {
    // A zombie counts as gone: whoever adopted it reaps it.
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
function openTargets(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      return []
    }
  })
}
async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(condition()).toBe(true)
}

test.for([
  ['exit 0', { kind: 'exit', code: 0 }],
  ['exit 77', { kind: 'exit', code: 77 }],
  ['kill -TERM $$', { kind: 'signal', signal: 'SIGTERM' }],
  ['kill -SEGV $$', { kind: 'signal', signal: 'SIGSEGV' }],
] as const)('%s → %o', async ([body, expected]) => {
  expect(await runScript(['/bin/sh', '-c', body])).toEqual(expected)
})

test('what is not there cannot start', async () => {
  expect(await runScript(['/nonexistent'])).toMatchObject({
    kind: 'cannot start',
    reason: expect.stringContaining('ENOENT') as string,
  })
  expect(await runScript([])).toMatchObject({ kind: 'cannot start' })
})

test('a script without #! is run by sh', async () => {
  expect(await runScript([script('plain', 'exit 5\n')])).toEqual({ kind: 'exit', code: 5 })
})

test('words are words: no shell looks at them', async () => {
  const show = script('show', `#!/bin/sh\nprintf '%s|' "$@" > ${folder}/words\n`)
  await runScript([show, 'a b', '$HOME', ';', '*'])
  expect(output('words')).toBe('a b|$HOME|;|*|')
})

test('its own process group, nothing but /dev/null, nothing inherited, no signal blocked', async () => {
  const look = script(
    'look',
    `#!/bin/sh
cut -d' ' -f5 /proc/$$/stat > ${folder}/group; echo $$ > ${folder}/pid
for fd in /proc/$$/fd/*; do readlink $fd; done > ${folder}/fds
grep SigBlk /proc/self/status > ${folder}/blocked\n`,
  )
  const server = createServer().listen(0)
  const file = openSync('/etc/passwd', 'r')
  const ours = openTargets().filter((target) => target.startsWith('socket:') || target === '/etc/passwd')
  expect(ours.length).toBeGreaterThanOrEqual(2)
  expect(await runScript([look])).toEqual({ kind: 'exit', code: 0 })
  server.close()
  closeSync(file)
  expect(output('group')).toBe(output('pid'))
  expect(ours.filter((target) => output('fds').split('\n').includes(target))).toEqual([])
  expect(output('blocked')).toMatch(/SigBlk:\s+0{16}/)
})

test('the environment is ours without what bends shells and loaders', async () => {
  const show = script('env', `#!/bin/sh\nenv > ${folder}/environment\n`)
  await runScript([show], { env: { PATH: '/bin:/usr/bin', IFS: 'x', LD_LIBRARY_PATH: '/evil', LANG: 'C' } })
  expect(output('environment')).not.toMatch(/IFS|LD_/)
  expect(output('environment')).toContain('LANG=C')
  expect(cleanEnvironment({ LD_PRELOAD: 'x', A: '1', B: undefined })).toEqual({ A: '1' })
})

test.runIf(process.getuid?.() === 0)('runs as the user, with exactly the groups asked for', async () => {
  const show = script('id', `#!/bin/sh\nid -u > ${folder}/uid; id -G > ${folder}/gids\n`)
  await runScript([show], { uid: 65534, gid: 65533 })
  expect([output('uid'), output('gids')]).toEqual(['65534', '65533'])
  rmSync(join(folder, 'uid'))
  rmSync(join(folder, 'gids'))
  await runScript([show], { uid: 65534, gid: 65533, groups: [4, 7] })
  expect([output('uid'), output('gids')]).toEqual(['65534', '65533 4 7'])
})

test('at its timeout the whole group goes', async () => {
  const nest = script('nest', `#!/bin/sh\nsleep 1000 & echo $! > ${folder}/child\nwait\n`)
  expect(await runScript([nest], { timeout: millis(200) })).toEqual({ kind: 'timeout' })
  await until(() => !alive(Number(output('child'))))
})

test('whoever ignores SIGTERM is killed', async () => {
  const deaf = script('deaf', `#!/bin/sh\ntrap '' TERM\necho $$ > ${folder}/deaf.pid\nwhile :; do sleep 1; done\n`)
  const result = await runScript([deaf], { timeout: millis(200), patience: millis(300) })
  expect(result).toEqual({ kind: 'timeout' })
  await until(() => !alive(Number(output('deaf.pid'))))
})

test('a deaf child of a script that obeyed is killed too', async () => {
  const body = `#!/bin/sh\n(trap '' TERM; echo started > ${folder}/deaf.up; exec sleep 1000) &\necho $! > ${folder}/deafchild\nwait\n`
  const result = await runScript([script('deafchild.sh', body)], { timeout: millis(300), patience: millis(300) })
  expect(result).toEqual({ kind: 'timeout' })
  await until(() => !alive(Number(output('deafchild'))))
})

test('an abort ends it like a timeout, one that came before keeps it from starting', async () => {
  const controller = new AbortController()
  const running = runScript(['/bin/sleep', '1000'], { signal: controller.signal, timeout: seconds(100) })
  controller.abort()
  expect(await running).toEqual({ kind: 'stopped' })
  const never = script('never', `#!/bin/sh\ntouch ${folder}/ran\n`)
  expect(await runScript([never], { signal: controller.signal })).toEqual({ kind: 'stopped' })
  expect(existsSync(join(folder, 'ran'))).toBe(false)
})

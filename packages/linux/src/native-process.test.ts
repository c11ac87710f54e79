/** What the addon does to a process and to threads: each row is a program of its own. */
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { addonFile } from './native.ts'

interface Ended {
  readonly status: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** At hand in every program: `addon`, `udp(listener)`: a bound socket on loopback, `turn()`. */
const prelude = `
const addon = require(${JSON.stringify(addonFile())})
const address = Buffer.from([2, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
const udp = (listener) => { const s = new addon.Socket(2, 2, 0, listener, 2048, 0); s.bind(address); return s }
const turn = () => new Promise((resolve) => setImmediate(resolve))
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
`

function run(program: string, ...flags: string[]): Ended {
  const script = `${prelude};(async () => { ${program} })()`
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', script], {
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { status, signal, stdout, stderr }
}

const printed = (program: string, ...flags: string[]): string => {
  const { status, signal, stdout, stderr } = run(program, ...flags)
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' })
  return stdout.trim()
}

test('a started socket keeps the process alive until it is closed', () => {
  expect(printed(`const s = udp(() => {}); s.start(); const t = setTimeout(() => { console.log('alive'); s.close() }, 50); t.unref()
    process.on('exit', () => console.log('ended'))`)).toBe('alive\nended') // prettier-ignore
})

test.for([
  ['never started', ''],
  ['unref', 's.start(); s.unref()'],
  ['stopped', 's.start(); s.stop()'],
  ['closed', 's.start(); s.close()'],
] as const)('a socket that is %s keeps no process alive', ([, how]) => {
  expect(printed(`const s = udp(() => {}); ${how}; process.on('exit', () => console.log('ended'))`)).toBe('ended')
})

test.for([
  ['set', 'a.set(60)', 'due\nended'],
  ['set and cleared', 'a.set(60); a.clear()', 'ended'],
  ['never set', '', 'ended'],
  ['set and closed', 'a.set(60); a.close()', 'ended'],
] as const)('an alarm that is %s keeps the process alive until then, or not at all', ([, how, said]) => {
  expect(
    printed(
      `const a = new addon.Alarm(() => console.log('due')); ${how}; process.on('exit', () => console.log('ended'))`,
    ),
  ).toBe(said)
})

test('an alarm that is set is not collected, a closed one is', () => {
  expect(
    printed(
      `let collected = 0, due = 0
      const registry = new FinalizationRegistry(() => collected++)
      for (let i = 0; i < 100; i++) {
        const open = new addon.Alarm(() => due++); open.set(60); registry.register(open, 0)
        const closed = new addon.Alarm(() => {}); closed.set(60); closed.close(); registry.register(closed, 0)
      }
      for (let i = 0; i < 8; i++) { gc(); await sleep(5) }
      await sleep(80)
      console.log(due, collected)`,
      '--expose-gc',
    ),
  ).toMatch(/^100 (?:9\d|100)$/)
})

test('what the action of an alarm throws is an uncaughtException, and it works on', () => {
  expect(
    printed(`const a = new addon.Alarm(() => { if (++n === 1) { a.set(1); throw new Error('thrown') } console.log('due') })
    let n = 0; process.on('uncaughtException', (error) => console.log('uncaught', error.message)); a.set(1)`),
  ).toBe('uncaught thrown\ndue')
})

test.for([
  'new addon.Alarm()',
  'addon.Alarm(() => {})',
  'new addon.Alarm(() => {}).set()',
  'new addon.Alarm(() => {}).set(NaN)',
  'new addon.Alarm(() => {}).set(Infinity)',
  'addon.Alarm.prototype.set.call({}, 1)',
])('%s is a TypeError', (what) => {
  expect(printed(`try { ${what} } catch (error) { console.log(error instanceof TypeError) }`)).toBe('true')
})

test('an open socket is not collected, a closed one is', () => {
  expect(
    printed(
      `let collected = 0
      const registry = new FinalizationRegistry(() => collected++)
      let got = 0
      const names = []
      for (let i = 0; i < 100; i++) {
        const open = udp(() => got++); open.start(); open.unref(); names.push(open.getsockname()); registry.register(open, 0)
        const closed = udp(() => {}); closed.start(); closed.close(); registry.register(closed, 0)
      }
      for (let i = 0; i < 8; i++) { gc(); await sleep(5) }
      const from = udp(() => {})
      for (const name of names) from.send(Buffer.of(1), name)
      await sleep(20)
      console.log(got, collected)`,
      '--expose-gc',
    ),
  ).toMatch(/^100 (?:9\d|100)$/)
})

test('what is free between blocks in use goes back to the kernel', () => {
  expect(
    printed(
      `const resident = () => Number(/VmRSS:\\s+(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status'))[1])
      let blocks = Array.from({ length: 100000 }, () => new Uint8Array(1000).fill(1))
      const last = blocks.at(-1); blocks = undefined; gc(); await sleep(50); gc()
      const before = resident(); addon.mallocTrim(); const freed = before - resident()
      console.log(freed > 50000 || [before, freed], last.length)`,
      '--expose-gc',
    ),
  ).toBe('true 1000')
})

test('what a listener throws is an uncaughtException, and the socket works on', () => {
  expect(
    printed(`const s = udp((kind, data) => { if (data[0] === 1) throw new Error('thrown'); console.log('message'); s.close() })
    process.on('uncaughtException', (error) => console.log('uncaught', error.message))
    s.start(); s.send(Buffer.of(1), s.getsockname()); s.send(Buffer.of(2), s.getsockname())`),
  ).toBe('uncaught thrown\nmessage')
})

test('nobody there to catch it: the process ends as from any exception, without a core', () => {
  const { status, signal, stderr } = run(`const s = udp(() => { throw new Error('thrown') }); s.start()
    s.send(Buffer.of(1), s.getsockname())`)
  expect({ status, signal }).toEqual({ status: 1, signal: null })
  expect(stderr).toContain('Error: thrown')
})

const inWorker = (body: string): string => `
  const { Worker } = require('node:worker_threads')
  const before = require('node:fs').readdirSync('/proc/self/fd').length
  const worker = new Worker(${JSON.stringify(prelude)} + ${JSON.stringify(body)}, { eval: true })`

test.for([
  ['is told to exit', `const s = udp(() => {}); s.start(); setTimeout(() => process.exit(), 20)`, ''],
  ['is terminated', `const s = udp(() => {}); s.start(); require('node:worker_threads').parentPort.postMessage(1)`, `worker.on('message', () => worker.terminate())`], // prettier-ignore
  ['has nothing left to do', `const s = udp(() => {}); s.start(); s.unref()`, ''],
  ['exits within a listener', `const s = udp(() => process.exit()); s.start(); s.send(Buffer.of(1), s.getsockname())`, ''], // prettier-ignore
  ['is told to exit with an alarm set', `new addon.Alarm(() => {}).set(1e6); setTimeout(() => process.exit(), 20)`, ''],
  ['exits within an alarm', `new addon.Alarm(() => process.exit()).set(1)`, ''],
  ['is terminated with an alarm set', `new addon.Alarm(() => {}).set(1e6); require('node:worker_threads').parentPort.postMessage(1)`, `worker.on('message', () => worker.terminate())`], // prettier-ignore
  ['closed its socket before', `const s = udp(() => {}); s.start(); s.close()`, ''],
] as const)('a worker that %s ends, and its sockets are closed', ([, body, more]) => {
  expect(
    printed(`${inWorker(body)}; ${more}
      worker.on('exit', async () => { await sleep(20)
        console.log('ended', require('node:fs').readdirSync('/proc/self/fd').length - before < 2) })`),
  ).toBe('ended true')
})

test('ten workers at once, messages in each', () => {
  const body = `let got = 0
    const s = udp(() => { if (++got === 100) { s.close(); require('node:worker_threads').parentPort.postMessage(got) } })
    s.start(); for (let i = 0; i < 100; i++) s.send(Buffer.of(i), s.getsockname())`
  expect(
    printed(`const { Worker } = require('node:worker_threads'); let sum = 0
      for (let i = 0; i < 10; i++) new Worker(${JSON.stringify(prelude + body)}, { eval: true }).on('message', (n) => { sum += n })
      process.on('exit', () => console.log(sum))`),
  ).toBe('1000')
})

test('process.exit() with open sockets ends at once', () => {
  expect(printed(`udp(() => {}).start(); process.on('exit', () => console.log('exit')); process.exit(0)`)).toBe('exit')
})

test('bad arguments and foreign objects are errors, never a crash', () => {
  expect(
    printed(`
    const odd = [undefined, null, 0, -1, 1.5, NaN, 2 ** 40, 1n, '', 'text', true, Symbol('s'), {}, [], () => {}, Buffer.alloc(0), Buffer.alloc(3),
      Buffer.alloc(100000), new Uint8Array(new ArrayBuffer(64), 8, 8), new Uint16Array(4), new DataView(new ArrayBuffer(8)), new ArrayBuffer(8),
      new Uint8Array(new SharedArrayBuffer(8)), new Proxy({}, {})]
    let calls = 0
    const wrong = []
    const attempt = (what, call) => {
      calls++
      try { call() } catch (error) {
        if (!(error instanceof TypeError) && !(error instanceof Error && 'syscall' in error)) wrong.push(what + ': ' + error)
      }
    }
    const methods = ['bind', 'connect', 'setsockopt', 'getsockopt', 'getsockname', 'send', 'start', 'stop', 'awaitWritable', 'ref', 'unref']
    for (const name of methods) {
      const method = addon.Socket.prototype[name]
      for (const self of odd) attempt(name + ' of something else', () => method.call(self))
      for (const a of odd) {
        for (const b of odd) {
          const s = new addon.Socket(2, 2, 0, () => {}, 16, 0)
          attempt(name, () => s[name](a, b))
          for (const c of odd.slice(0, 6).concat(odd.slice(14))) attempt(name, () => s[name](a, b, c))
          s.close()
        }
        await turn()
      }
    }
    for (let place = 0; place < 6; place++)
      for (const value of odd) attempt('new', () => { const args = [2, 2, 0, () => {}, 16, 0]; args[place] = value; new addon.Socket(...args).close() })
    attempt('new', () => new addon.Socket())
    attempt('without new', () => addon.Socket(2, 2, 0, () => {}, 16, 0))
    for (const value of odd) {
      attempt('setns', () => addon.setns(value, value))
      attempt('schedSetscheduler', () => addon.schedSetscheduler(0, value, 200))
      attempt('mlock', () => addon.mlock(value, 1n))
      attempt('capset', () => addon.capset(value, 0, 0))
      attempt('become', () => addon.become(value, 'x'))
      attempt('prctl', () => addon.prctl(value === 0 ? -1 : value === 2 ** 40 ? -1 : value, {}))
    }
    class Derived extends addon.Socket {}
    attempt('derived', () => { const s = new Derived(2, 2, 0, () => {}, 16, 0); s.start(); s.close() })
    console.log(wrong.join() || 'fine', calls > 50000)`),
  ).toBe('fine true')
})

test.runIf(process.getuid?.() === 0)('another user, in every thread, where Node.js itself refuses that', () => {
  expect(
    printed(String.raw`const { readdirSync, readFileSync } = require('node:fs')
    addon.become(65533, 65532)
    const lines = readdirSync('/proc/self/task').map((task) => {
      const status = readFileSync('/proc/self/task/' + task + '/status', 'latin1')
      return ['Uid', 'Gid', 'Groups', 'CapEff'].map((name) => new RegExp(name + ':(.*)').exec(status)[1].trim()).join(' ')
    })
    console.log(lines.length > 1, [...new Set(lines)].join('|').replaceAll('\t', ' '))`),
  ).toBe('true 65533 65533 65533 65533 65532 65532 65532 65532  0000000000000000')
})

test.runIf(process.getuid?.() === 0)('real-time priority, locked text and fewer capabilities, to a clean end', () => {
  expect(
    printed(
      String.raw`const { readFileSync } = require('node:fs')
    addon.schedSetscheduler(0, 2 | 0x40000000, 5)
    const stat = readFileSync('/proc/self/stat', 'latin1').split(') ')[1].split(' ')
    for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
      const range = /^([0-9a-f]+)-([0-9a-f]+) r-.p \S+ \S+ [1-9]\d* +\//.exec(line)
      if (range) addon.mlock(BigInt('0x' + range[1]), BigInt('0x' + range[2]) - BigInt('0x' + range[1]))
    }
    addon.capset(1n << 12n, 1n << 12n, 0n)
    const status = readFileSync('/proc/thread-self/status', 'latin1')
    const locked = Number(/VmLck:\s+(\d+)/.exec(status)[1])
    let keep = []
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 500; i++) keep.push(new Array(10000).fill(i))
      keep = []
      gc()
    }
    console.log('policy', stat[38], 'priority', stat[37], /CapEff:\s+(\S+)/.exec(status)[1], locked > 10000)`,
      '--expose-gc',
    ),
  ).toBe('policy 2 priority 5 0000000000001000 true')
})

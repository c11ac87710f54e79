/** What is wrong with us says nothing about the server: each such failure is `local`, and takes no server down. */
import type { CheckConnection } from '@ipvs-director/config'
import { address, millis, systemClock } from '@ipvs-director/core'
import { addonAvailable } from '@ipvs-director/linux'
import { noNamespaces, ownNamespace } from '@ipvs-director/linux/testing'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { checkers } from './checkers.ts'
import type { Verdict } from './checker.ts'
import { createEngine } from './engine.ts'
import { createNodeIo } from './io/node-io.ts'
import { checkOf, connectionTo, recordedEvents } from './testing/checks.ts'
import { probeOnce } from './testing/probe.ts'
import { readChecker } from './testing/read.ts'
import { testServers } from './testing/servers.ts'
import { inside } from './testing/inside.ts'
import { until } from './testing/until.ts'

const servers = testServers()
const closed = servers.closedPort()
afterAll(() => servers.close())

const blocks = [
  'TCP_CHECK {\n }',
  'TCP_CHECK {\n half_open\n }',
  'HTTP_GET {\n url {\n path /\n }\n }',
  'SSL_GET {\n url {\n path /\n }\n }',
  'SSL_GET {\n url {\n path /\n }\n http_protocol 2\n }',
  'SMTP_CHECK {\n }',
  'DNS_CHECK {\n }',
  'UDP_CHECK {\n }',
  'PING_CHECK {\n }',
  'AGENT_CHECK {\n agent_required\n }',
  'GRPC_CHECK {\n }',
  'GRPC_CHECK {\n tls\n }',
] as const

async function probe(
  block: string,
  host: string,
  io = createNodeIo(),
  change: Partial<CheckConnection> = {},
): Promise<Verdict> {
  const { checker: read } = await readChecker(block)
  const checker = checkers.find(({ keyword }) => keyword === read?.kind)
  if (checker === undefined) throw new Error('there is no such checker')
  return probeOnce(checker, io, { ...connectionTo(await closed, host), ...change }, read?.options, {
    timeout: millis(500),
  })
}

if (noNamespaces !== undefined) console.warn(`no route of ours is not tested: ${noNamespaces}`)
const able = noNamespaces === undefined && addonAvailable()

test.skipIf(!able).for(blocks)('without a route: %s', async (block) => {
  const own = await ownNamespace()
  try {
    const verdict = await inside(own.path, () => probe(block, '192.0.2.1'))
    expect(verdict).toMatchObject({ up: false, class: 'local' })
    expect(verdict.reason).toMatch(/ENETUNREACH|no route/)
  } finally {
    own.close()
  }
})

const means = [false, ...(addonAvailable() ? [true] : [])]

describe.for(means)('kernel sockets: %s', (kernelSockets) => {
  const io = createNodeIo({ kernelSockets })
  /** Half-open checks and pings go by the addon alone. */
  const here = blocks.filter((block) => addonAvailable() || !/half_open|PING/.test(block))

  test.for(here)('an address that is not ours: %s', async (block) => {
    const verdict = await probe(block, '127.0.0.1', io, { bindAddress: address('198.51.100.77') })
    expect(verdict).toMatchObject({ up: false, class: 'local' })
  })

  test.runIf(addonAvailable()).for(here)('an interface that is not there: %s', async (block) => {
    const verdict = await probe(block, '127.0.0.1', io, { bindInterface: 'nosuch0' })
    expect(verdict).toMatchObject({ up: false, class: 'local' })
  })

  test.for(here.filter((block) => !/half_open|PING/.test(block)))('a port that is taken: %s', async (block) => {
    const taken = /DNS|UDP/.test(block) ? await servers.udp(() => undefined, '127.0.0.1') : await servers.tcp(() => undefined) // prettier-ignore
    const verdict = await probe(block, '127.0.0.1', io, { bindAddress: address('127.0.0.1'), bindPort: taken })
    expect(verdict).toMatchObject({ up: false, class: 'local' })
  })

  test.skipIf(!able).for(here.filter((block) => !/half_open|PING/.test(block)))(
    'no free port of ours: %s',
    async (block) => {
      const own = await ownNamespace()
      try {
        await own.run('ip link set lo up && mount -t proc none /proc && echo 20000 20000 > /proc/sys/net/ipv4/ip_local_port_range') // prettier-ignore
        const verdict = await inside(own.path, async () => {
          const busy = await occupied(20_000)
          try {
            return await probe(block, '127.0.0.1', io)
          } finally {
            busy.close()
          }
        })
        expect(verdict).toMatchObject({ up: false, class: 'local' })
      } finally {
        own.close()
      }
    },
  )
})

/** A port that nobody else can have, for TCP or UDP. */
async function occupied(port: number): Promise<{ close(): void }> {
  const [tcp, udp] = [createServer(), createSocket('udp4')]
  await new Promise<void>((resolve) => tcp.listen(port, '0.0.0.0', resolve))
  await new Promise<void>((resolve) => udp.bind(port, '0.0.0.0', resolve))
  return {
    close() {
      tcp.close()
      udp.close()
    },
  }
}

/** Sets the soft limit of descriptors of this process to what it has, from outside, until told otherwise. */
async function exhausted<T>(work: () => Promise<T>): Promise<T> {
  const soft = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '1024'
  const pid = process.pid
  const script = `read low; prlimit --pid ${pid} --nofile=$low: && echo low; read end; prlimit --pid ${pid} --nofile=${soft}: && echo back`
  const helper = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  const says = (word: string): Promise<void> =>
    new Promise((resolve) => {
      helper.stdout.on('data', (data: Buffer) => {
        if (data.toString().includes(word)) resolve()
      })
    })
  // A new descriptor has the lowest free number, which must be below the limit.
  const free = openSync('/dev/null', 'r')
  closeSync(free)
  helper.stdin.write(`${free}\n`)
  await says('low')
  try {
    return await work()
  } finally {
    helper.stdin.write('end\n')
    await says('back')
    helper.stdin.end()
  }
}

const limits = spawnSync('prlimit', ['--version']).status === 0
if (!limits) console.warn('what happens without descriptors is not tested: there is no prlimit')

test.skipIf(!limits)('without descriptors', async () => {
  const all = [...blocks, 'MISC_CHECK {\n misc_path /bin/true\n }']
  // Read before: reading needs descriptors, too. What loads at its first use is loaded.
  const io = createNodeIo()
  for (const block of all) await probe(block, '127.0.0.1', io)
  const verdicts = await exhausted(async () => {
    const found = []
    for (const block of all) found.push([block, (await probe(block, '127.0.0.1')).class])
    return found
  })
  expect(verdicts).toEqual(all.map((block) => [block, 'local']))
})

test('what is local never takes a server down, is told once, and what comes after it counts', async () => {
  const events = recordedEvents()
  const port = await servers.closedPort()
  const engine = createEngine({ clock: systemClock, events, firstWait: millis(0) })
  const timing = { delayLoop: millis(20), retry: 0 }
  const at = { ...connectionTo(port), bindAddress: address('192.0.2.9') }
  const initial = { up: true, unproven: true, seen: false }
  engine.setChecks([checkOf('TCP_CHECK', at, {}, { timing, initial })])
  await until(() => events.troubles.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 200))
  const [figures] = await engine.figures()
  expect(figures).toMatchObject({ up: true, failures: 0, last: { class: 'local' } })
  expect(figures?.probes).toBeGreaterThan(3)
  expect([events.reports, events.troubles]).toEqual([[], [expect.stringContaining('no local address')]])
  engine.setChecks([checkOf('TCP_CHECK', connectionTo(port), {}, { timing, initial })])
  await until(() => events.reports.length > 0)
  expect(events.reports[0]).toMatchObject({ up: false, first: true, verdict: { class: 'refused' } })
  await engine.stop()
})

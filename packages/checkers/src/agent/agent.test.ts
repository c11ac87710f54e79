import { millis } from '@ipvs-director/core'
import { fc, test as property } from '@fast-check/vitest'
import type { Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { createNodeIo } from '../io/node-io.ts'
import { connectionTo } from '../testing/checks.ts'
import { probeOnce } from '../testing/probe.ts'
import { readChecker } from '../testing/read.ts'
import { testServers } from '../testing/servers.ts'
import { agentCheck, type AgentOptions } from './checker.ts'
import { agentWeight, readAgentReply, silentAgent, type AgentState } from './reply.ts'

const drained: AgentState = { admin: 'drain', up: false, percent: 20, words: 'down' }

test.for([
  ['75%', silentAgent, { percent: 75 }],
  ['0%', silentAgent, { percent: 0 }],
  ['UP 75%', drained, { up: true, percent: 75, words: '' }],
  ['up,ready', drained, { up: true, admin: 'ready', words: '' }],
  ['ready', drained, { admin: 'ready' }],
  ['drain', silentAgent, { admin: 'drain' }],
  ['maint', silentAgent, { admin: 'maint' }],
  ['down', silentAgent, { up: false, words: 'down' }],
  ['stopped # for the night', silentAgent, { up: false, words: 'stopped: for the night' }],
  ['fail#disk full, 75%', silentAgent, { up: false, words: 'fail: disk full, 75%' }],
  ['maxconn:20', drained, {}],
  ['maxconn:20 90%', silentAgent, { percent: 90 }],
  ['nonsense 50%', silentAgent, { percent: 50 }],
  ['99999999%', silentAgent, { percent: 100_000 }],
] as const)('"%s" after %o: %o', ([line, before, change]) => {
  expect(readAgentReply(before, line)).toEqual({ ...before, ...change })
})

test.for(['', ' ', 'nonsense', '-5%', '%', '5', '# up', '1.5%'])('"%s" says nothing', (line) => {
  expect(readAgentReply(silentAgent, line)).toBeUndefined()
})

property.prop([fc.string(), fc.string()])('any answer is understood or not, and a weight stays one', (a, b) => {
  const state = readAgentReply(readAgentReply(silentAgent, a) ?? silentAgent, b) ?? silentAgent
  const weight = agentWeight(state, 50)
  expect(Number.isInteger(weight) && weight >= 0 && weight < 2 ** 31).toBe(true)
})

test.for([
  [10, 100, 10],
  [10, 75, 8],
  [1, 1, 1],
  [1, 0, 0],
  [0, 50, 0],
  [2_147_483_647, 100_000, 2_147_483_647],
] as const)('weight %i at %i %% is %i', ([configured, percent, weight]) => {
  expect(agentWeight({ ...silentAgent, percent }, configured)).toBe(weight)
})

const servers = testServers()
afterAll(() => servers.close())
const io = createNodeIo()
const optionsOf = (change: Partial<AgentOptions> = {}): Readonly<Record<string, unknown>> => ({
  send: undefined,
  required: false,
  weight: 10,
  ...change,
})

test('an agent speaks, and is believed until it says something else', async () => {
  const lines = ['75%\n', 'drain\r\n', 'up\n', 'ready', 'fail # disk\n', '', 'up 100%\n', 'maint\n']
  const port = await servers.tcp((socket) => socket.end(lines.shift() ?? ''))
  const options = optionsOf()
  const seen: string[] = []
  for (let i = 0; i < 8; i++) {
    const { up, weight, reason } = await probeOnce(agentCheck, io, connectionTo(port), options)
    seen.push(
      `${up ? 'up' : 'down'} ${weight ?? '-'}: ${reason.replaceAll(String(port), 'PORT').replace(/after .*/, '')}`,
    )
  }
  expect(seen).toEqual([
    'up 8: said to be up, weight 8, by 127.0.0.1:PORT ',
    'up 0: said to be draining, weight 0, by 127.0.0.1:PORT ',
    'up 0: said to be draining, weight 0, by 127.0.0.1:PORT ',
    'up 8: said to be up, weight 8, by 127.0.0.1:PORT ',
    'down -: said to be fail: disk by 127.0.0.1:PORT ',
    'down -: said to be fail: disk as before: an agent does not say "": 127.0.0.1:PORT',
    'up 10: said to be up, weight 10, by 127.0.0.1:PORT ',
    'down -: said to be in maintenance by 127.0.0.1:PORT ',
  ])
})

test('what is sent reaches it', async () => {
  const port = await servers.tcp((socket) => socket.once('data', (data) => socket.end(`fail#${data.toString()}\n`)))
  const options = optionsOf({ send: Buffer.from('web1\n').toString('hex') })
  expect((await probeOnce(agentCheck, io, connectionTo(port), options)).reason).toContain('fail: web1')
})

const dripping =
  (text: string, every: number) =>
  (socket: Socket): void => {
    const timer = setInterval(() => socket.write(text), every)
    socket.on('close', () => {
      clearInterval(timer)
    })
  }

test.for([
  ['nobody there', () => servers.closedPort(), 'refused'],
  ['silence', () => servers.tcp(() => undefined), 'timeout'],
  ['closed at once', () => servers.tcp((socket) => socket.end()), 'protocol'],
  ['a line without end', () => servers.tcp(dripping('x'.repeat(999), 5)), 'protocol'],
  ['a byte now and then', () => servers.tcp(dripping('x', 100)), 'timeout'],
] as const)('%s: nothing new, or a failure where it is required', async ([, port, kind]) => {
  const at = connectionTo(await port())
  const timeout = millis(300)
  const believed = await probeOnce(agentCheck, io, at, optionsOf(), { timeout })
  expect(believed).toMatchObject({ up: true, class: 'ok', weight: 10 })
  expect(believed.reason).toMatch(/^said to be up, weight 10, as before: /)
  const required = await probeOnce(agentCheck, io, at, optionsOf({ required: true }), { timeout })
  expect([required.up, required.class]).toEqual([false, kind])
})

test('as it is written', async () => {
  const text = 'AGENT_CHECK {\n connect_port 8081\n send "web1\\n"\n agent_required\n }'
  const { checker, remarks } = await readChecker(text, { realServer: 'weight 7' })
  expect(remarks).toEqual([])
  expect(checker).toMatchObject({
    timing: { retry: 0 },
    connection: { port: 8081 },
    options: { send: Buffer.from('web1\n').toString('hex'), required: true, weight: 7 },
  })
})

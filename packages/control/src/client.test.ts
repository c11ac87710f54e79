import { createServer, type Server } from 'node:net'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { millis, silentLogger } from '@ipvs-director/core'
import { controlClient } from './client.ts'
import { createControlServer, type ControlServer } from './server.ts'
import { busyStatus, driftReport, event, fakeDirector, reloadResult, type FakeDirector } from './testing/index.ts'

let directory: string
let path: string
let director: FakeDirector
const open: (ControlServer | Server)[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'control-'))
  path = join(directory, 's')
  director = fakeDirector()
})
afterEach(async () => {
  for (const server of open.splice(0)) await (server.close() as unknown)
  await rm(directory, { recursive: true, force: true })
})

async function serve(): Promise<ControlServer> {
  const server = await createControlServer({ socket: { path }, handlers: director, logger: silentLogger })
  open.push(server)
  return server
}

/** Something that is not a director listens. */
async function impostor(answer: string | undefined): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    if (answer !== undefined) socket.end(answer)
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  open.push(server)
}

test('each method gives its answer', async () => {
  director.status = () => Promise.resolve(busyStatus())
  await serve()
  const client = controlClient({ path })
  expect(await client.status()).toEqual(JSON.parse(JSON.stringify(busyStatus())))
  expect((await client.status(['192.0.2.1:80'])).virtualServers).toHaveLength(1)
  expect(await client.version()).toMatchObject({ schema: 1, pid: 4711 })
  expect(await client.audit()).toEqual(driftReport())
  expect(await client.drift()).toEqual(driftReport({ found: [] }))
  expect(await client.reload()).toEqual(reloadResult())
  await client.stop({ keep: true })
  await expect.poll(() => director.calls.at(-1)).toBe('stop keep')
})

test('a refused reload is an answer, not an error', async () => {
  const refused = reloadResult({ ok: false, diagnostics: ['a.conf:1:1: no'], changes: [], writes: 0 })
  director.reload = () => Promise.resolve(refused)
  await serve()
  expect(await controlClient({ path }).reload()).toEqual(refused)
})

test('a refusal carries status, code and suggestions', async () => {
  await serve()
  await expect(controlClient({ path }).status(['192.0.2.1:81/tcp'])).rejects.toMatchObject({
    kind: 'refused',
    status: 404,
    code: 'no-such-service',
    message: 'there is no virtual server "192.0.2.1:81/tcp"',
    suggestions: ['192.0.2.1:80/tcp'],
  })
})

test('nobody there', async () => {
  const message = `no director is running: nothing listens on ${path}`
  await expect(controlClient({ path }).status()).rejects.toMatchObject({ kind: 'absent', message })
})

test('a file that is no socket', async () => {
  await writeFile(path, '')
  await expect(controlClient({ path }).status()).rejects.toMatchObject({ kind: 'absent' })
})

test('permission denied', async ({ skip }) => {
  skip(process.getuid?.() === 0, 'root is denied nothing')
  await serve()
  await chmod(path, 0)
  await expect(controlClient({ path }).status()).rejects.toMatchObject({ kind: 'denied' })
})

test('a director that hangs', async () => {
  director.status = () => new Promise(() => undefined)
  await serve()
  await expect(controlClient({ path, timeout: millis(50) }).status()).rejects.toMatchObject({
    kind: 'timeout',
    message: `the director on ${path} did not answer within 50 ms`,
  })
})

test.for([
  ['says goodbye', ''],
  ['speaks something else', '220 mail.example.org ESMTP\r\n'],
  ['answers with text', 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello'],
  ['breaks off', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"schema":1'],
])('one that %s is not a director', async ([, answer]) => {
  await impostor(answer)
  await expect(controlClient({ path, timeout: millis(500) }).status()).rejects.toMatchObject({ kind: 'broken' })
})

test('events: the remembered ones, then as they happen', async () => {
  director.events.push(event(1), event(2))
  await serve()
  const seen: number[] = []
  for await (const one of controlClient({ path }).events({ follow: true })) {
    seen.push(one.sequence)
    if (one.sequence === 2) director.emit(event(3))
    if (one.sequence === 3) break
  }
  expect(seen).toEqual([1, 2, 3])
  await expect.poll(() => director.subscribers()).toBe(0)
})

test('events without following end', async () => {
  director.events.push(event(1), event(2))
  await serve()
  const seen: number[] = []
  for await (const one of controlClient({ path }).events({ after: 1, follow: false })) seen.push(one.sequence)
  expect(seen).toEqual([2])
})

test('an aborted stream of events ends with an error, not by hanging', async () => {
  await serve()
  const abort = new AbortController()
  const next = controlClient({ path, signal: abort.signal }).events({ follow: true }).next()
  await expect.poll(() => director.subscribers()).toBe(1)
  abort.abort()
  await expect(next).rejects.toMatchObject({ kind: 'broken' })
  await expect.poll(() => director.subscribers()).toBe(0)
})

import { connect } from 'node:net'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile, lstat, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { millis, silentLogger } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import { controlClient } from './client.ts'
import type { ControlHandlers } from './model.ts'
import { createControlServer, type ControlServer, type ControlServerOptions } from './server.ts'
import { claimSocket } from './socket-claim.ts'
import { busyStatus, event, fakeDirector, largeStatus, reloadResult, type FakeDirector } from './testing/index.ts'

let directory: string
let path: string
let director: FakeDirector
let open: ControlServer[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'control-'))
  path = join(directory, 's')
  director = fakeDirector()
  open = []
})
afterEach(async () => {
  for (const server of open) await server.close()
  await rm(directory, { recursive: true, force: true })
})

async function serve(over: Partial<ControlServerOptions> = {}): Promise<ControlServer> {
  const server = await createControlServer({ socket: { path }, handlers: director, logger: silentLogger, ...over })
  open.push(server)
  return server
}

interface Answer {
  status: number
  headers: Record<string, unknown>
  text: string
  json: unknown
}

function ask(method: string, url: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: path, method, path: url, headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('error', reject)
      response.on('end', () => {
        const isJson = response.headers['content-type'] === 'application/json'
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: isJson ? JSON.parse(text) : undefined,
        })
      })
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

/** Sends raw bytes and collects what comes back until the other side closes. */
function raw(bytes: string | Buffer, end = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(path)
    let text = ''
    socket.on('data', (part) => (text += part.toString()))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      resolve(text)
    })
    socket.write(bytes)
    if (end) socket.end()
  })
}

describe('endpoints', () => {
  test('status is the whole model', async () => {
    director.status = () => Promise.resolve(busyStatus())
    await serve()
    const { status, json } = await ask('GET', '/v1/status')
    expect(status).toBe(200)
    expect(json).toEqual(JSON.parse(JSON.stringify(busyStatus())))
  })

  test.for(['192.0.2.1:80/tcp', '192.0.2.1:80'])('status of %s alone', async (name) => {
    director.status = () => Promise.resolve(busyStatus())
    await serve()
    const { json } = await ask('GET', `/v1/status?service=${encodeURIComponent(name)}`)
    expect((json as { virtualServers: { name: string }[] }).virtualServers.map((one) => one.name)).toEqual([
      '192.0.2.1:80/tcp',
    ])
  })

  test('status of an unknown service is 404 with what may have been meant', async () => {
    await serve()
    expect(await ask('GET', '/v1/status?service=192.0.2.1:8/tcp')).toMatchObject({
      status: 404,
      json: { error: { code: 'no-such-service', suggestions: ['192.0.2.1:80/tcp'] } },
    })
  })

  test.for([
    ['GET', '/v1/version', undefined, 200, { version: '0.1.0', pid: 4711 }, 'version'],
    ['GET', '/v1/audit', undefined, 200, { found: [] }, 'drift'],
    ['POST', '/v1/audit', undefined, 200, { found: [{ repaired: true }] }, 'audit'],
    ['POST', '/v1/probers', '{"restart":"prober 1"}', 200, { restart: 'prober 1' }, 'restart prober 1'],
    ['POST', '/v1/reload', '', 200, { ok: true, writes: 1 }, 'reload'],
    ['POST', '/v1/stop', '', 202, { stopping: true, keep: false }, 'stop'],
    ['POST', '/v1/stop', '{"keep":true}', 202, { stopping: true, keep: true }, 'stop keep'],
  ] as const)('%s %s %s', async ([method, url, body, status, json, called]) => {
    await serve()
    expect(await ask(method, url, body)).toMatchObject({ status, json })
    await expect.poll(() => director.calls).toEqual([called])
  })

  test('a refused reload is 422 with the diagnostics', async () => {
    director.reload = () =>
      Promise.resolve(reloadResult({ ok: false, diagnostics: ['a.conf:1:1: no'], changes: [], writes: 0 }))
    await serve()
    expect(await ask('POST', '/v1/reload')).toMatchObject({ status: 422, json: { diagnostics: ['a.conf:1:1: no'] } })
  })

  test.for([
    [new RangeError('there is no vrrp_instance VI_9'), 404, 'no-such-instance'],
    [new Error('the vrrp process does not answer'), 503, 'vrrp-unavailable'],
  ] as const)('a switch-over: %s is %i', async ([error, status, code]) => {
    director.vrrp = () => Promise.reject(error)
    await serve()
    const answer = await ask('POST', '/v1/vrrp', JSON.stringify({ command: 'move', instance: 'VI_9' }))
    expect(answer).toMatchObject({ status, json: { error: { code, message: error.message } } })
  })

  test('an unknown prober is 404', async () => {
    director.restartProber = () => Promise.reject(new RangeError('there is no prober "x"'))
    await serve()
    expect(await ask('POST', '/v1/probers', '{"restart":"x"}')).toMatchObject({ status: 404, json: { error: { code: 'no-such-prober' } } }) // prettier-ignore
  })

  test.for([
    ['GET', '/nothing', undefined, 404, 'not-found'],
    ['GET', '//x:y', undefined, 404, 'not-found'],
    ['GET', '/v1/status?servce=x', undefined, 400, 'bad-request'],
    ['PUT', '/v1/status', undefined, 405, 'method-not-allowed'],
    ['GET', '/v1/reload', undefined, 405, 'method-not-allowed'],
    ['POST', '/v1/stop', '{', 400, 'bad-request'],
    ['POST', '/v1/stop', '[]', 400, 'bad-request'],
    ['POST', '/v1/stop', '{"kep":true}', 400, 'bad-request'],
    ['POST', '/v1/stop', '{"keep":1}', 400, 'bad-request'],
    ['POST', '/v1/reload', '{"file":"/etc/passwd"}', 400, 'bad-request'],
    ['GET', '/v1/events?after=-1', undefined, 400, 'bad-request'],
    ['GET', '/v1/events?follow=maybe', undefined, 400, 'bad-request'],
  ] as const)('%s %s %s is %i %s', async ([method, url, body, status, code]) => {
    await serve()
    expect(await ask(method, url, body)).toMatchObject({ status, json: { error: { code } } })
    expect(director.calls).toEqual([])
  })

  test('405 tells what is allowed', async () => {
    await serve()
    expect((await ask('DELETE', '/v1/audit')).headers['allow']).toBe('GET, POST')
  })

  test('GET / lists the endpoints', async () => {
    await serve()
    const { endpoints } = (await ask('GET', '/')).json as { endpoints: { path: string }[] }
    expect(endpoints.map((one) => one.path)).toContain('/v1/status')
  })

  test('a handler that throws is a 500 with its words, and logged', async () => {
    const logger = arrayLogger()
    director.status = () => Promise.reject(new Error('the table is on fire'))
    await serve({ logger })
    expect(await ask('GET', '/v1/status')).toMatchObject({
      status: 500,
      json: { error: { message: 'the table is on fire' } },
    })
    expect(logger.lines).toMatchObject([{ level: 'error', event: 'control.failed' }])
  })

  test('many status requests at once share one snapshot', async () => {
    let snapshots = 0
    director.status = async () => {
      snapshots++
      await sleep(50)
      return busyStatus()
    }
    await serve()
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask('GET', '/v1/status')))
    expect(answers.map((answer) => answer.status)).toEqual(new Array(8).fill(200))
    expect(snapshots).toBe(1)
  })

  test('without a report of audits GET /v1/audit is 501', async () => {
    const handlers: ControlHandlers = { ...director }
    delete handlers.drift
    await serve({ handlers })
    expect((await ask('GET', '/v1/audit')).status).toBe(501)
  })
})

describe('authorisation port', () => {
  test.for([
    ['read', 'GET', '/v1/status', 200],
    ['read', 'POST', '/v1/reload', 403],
    ['write', 'POST', '/v1/reload', 200],
    [undefined, 'GET', '/v1/status', 403],
  ] as const)('%s: %s %s is %i', async ([access, method, url, status]) => {
    await serve({ authorize: () => access })
    expect((await ask(method, url)).status).toBe(status)
  })
})

describe('socket file', () => {
  test('mode 0660, own parent directory 0755, removed at close', async () => {
    path = join(directory, 'run', 'deep', 's')
    const server = await serve()
    expect((await stat(path)).mode & 0o777).toBe(0o660)
    expect((await stat(join(directory, 'run', 'deep'))).mode & 0o777).toBe(0o755)
    await server.close()
    expect(existsSync(path)).toBe(false)
  })

  test.runIf(process.getuid?.() === 0)('group by name and by number', async () => {
    await serve({ socket: { path, group: 'daemon', mode: 0o600 } })
    const { gid, mode } = await stat(path)
    expect([gid, mode & 0o777]).toEqual([1, 0o600])
  })

  test('an unknown group is an error and leaves nothing behind', async () => {
    await expect(serve({ socket: { path, group: 'no-such-group' } })).rejects.toThrow('no group "no-such-group"')
    expect(existsSync(path)).toBe(false)
  })

  test('a living director is not pushed aside', async () => {
    await serve()
    const { ino } = await lstat(path)
    await expect(serve()).rejects.toThrow(`another director is running: it listens on ${path}`)
    expect((await lstat(path)).ino).toBe(ino)
    expect((await ask('GET', '/v1/status')).status).toBe(200)
  })

  test('who connects before there is anybody to answer waits; who gives up is forgotten', async () => {
    const claim = await claimSocket({ path })
    const early = ask('GET', '/v1/version')
    const impatient = connect(path)
    await new Promise((resolve) => impatient.once('connect', resolve))
    impatient.destroy()
    await expect(claimSocket({ path })).rejects.toThrow('another director is running')
    await serve({ socket: claim })
    expect((await early).status).toBe(200)
    expect((await ask('GET', '/v1/version')).status).toBe(200)
  })

  test('a claim that is never served leaves nothing', async () => {
    const claim = await claimSocket({ path })
    const waiting = connect(path)
    const gone = new Promise((resolve) => waiting.once('close', resolve))
    await new Promise((resolve) => waiting.once('connect', resolve))
    await claim.release()
    await gone
    expect(existsSync(path)).toBe(false)
  })

  test('a dead socket file is replaced', async () => {
    const dead = createServer()
    await new Promise<void>((resolve) => dead.listen(`${path}.old`, resolve))
    const { linkSync } = await import('node:fs')
    linkSync(`${path}.old`, path)
    await new Promise((resolve) => dead.close(resolve))
    expect((await lstat(path)).isSocket()).toBe(true)
    await serve()
    expect((await ask('GET', '/v1/status')).status).toBe(200)
  })

  test('of two that start at once one wins, and its socket answers', async () => {
    const results = await Promise.allSettled([serve(), serve()])
    expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
    expect((await ask('GET', '/v1/status')).status).toBe(200)
  })

  test('a file that is not a socket is refused and kept', async () => {
    await writeFile(path, 'precious')
    await expect(serve()).rejects.toThrow('is not a socket')
    expect(await readFile(path, 'utf8')).toBe('precious')
  })

  test('a directory that is a file, a path that is too long', async () => {
    await writeFile(join(directory, 'file'), '')
    path = join(directory, 'file', 's')
    await expect(serve()).rejects.toThrow(/cannot make the control socket .*ENOTDIR|EEXIST/)
    path = join(directory, 'x'.repeat(120))
    await expect(serve()).rejects.toThrow('is too long: at most')
  })

  test("closing does not remove a successor's socket", async () => {
    const server = await serve()
    await rm(path)
    await serve()
    await server.close()
    expect((await ask('GET', '/v1/status')).status).toBe(200)
  })
})

describe('hostile clients', () => {
  test('a body above the limit is 413, with and without a length', async () => {
    await serve({ socket: { path, limits: { bodyBytes: 1000 } } })
    const huge = 'x'.repeat(3_000_000)
    expect(await ask('POST', '/v1/reload', huge)).toMatchObject({ status: 413 })
    expect(await ask('POST', '/v1/reload', huge, { 'transfer-encoding': 'chunked' })).toMatchObject({ status: 413 })
    expect(director.calls).toEqual([])
  })

  test.for([
    ['what is not HTTP', '\x16\x03\x01\x02\x00 hello\r\n\r\n', 400],
    ['no Host', 'GET /v1/status HTTP/1.1\r\n\r\n', 400],
    ['a header without end', `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['a target of a proxy', 'GET http://x/ HTTP/1.0\r\n\r\n', 404],
  ] as const)('%s', async ([, bytes, status]) => {
    await serve()
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  test('requests that never end are cut off: nothing sent, half a header, half a body', async () => {
    await serve({ socket: { path, limits: { requestTime: millis(100) } } })
    const answers = await Promise.all([
      raw(''),
      raw('GET /v1/status HT'),
      raw('POST /v1/stop HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{'),
    ])
    expect(answers.slice(1).map((text) => text.slice(0, 12))).toEqual(['HTTP/1.1 408', 'HTTP/1.1 408'])
    expect(director.calls).toEqual([])
  })

  test('1,000 connections: a few are held, the rest closed, and afterwards it serves', async () => {
    await serve({ socket: { path, limits: { connections: 20, requestTime: millis(200) } } })
    const answers = await Promise.all(Array.from({ length: 1000 }, () => raw('GET /v1/status HT')))
    expect(answers.filter((text) => text.startsWith('HTTP/1.1 408')).length).toBeLessThanOrEqual(20)
    expect((await ask('GET', '/v1/status')).status).toBe(200)
  })

  test('a reader of status that reads nothing is disconnected', async () => {
    const large = largeStatus(20, 1000)
    director.status = () => Promise.resolve(large)
    await serve({ socket: { path, limits: { stallTime: millis(100), bulkAnswers: 1 } } })
    const socket = connect(path)
    socket.write('GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n')
    await sleep(50)
    expect(await ask('GET', '/v1/status')).toMatchObject({ status: 503, json: { error: { code: 'busy' } } })
    socket.pause()
    await expect.poll(async () => (await ask('GET', '/v1/status')).status, { timeout: 5000 }).toBe(200)
    socket.destroy()
  })

  test('a client that goes away in the middle of an answer frees its place', async () => {
    const large = largeStatus(20, 1000)
    director.status = () => Promise.resolve(large)
    await serve({ socket: { path, limits: { bulkAnswers: 1 } } })
    const socket = connect(path)
    socket.write('GET /v1/status HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('readable', resolve))
    socket.destroy()
    await expect.poll(async () => (await ask('GET', '/v1/status')).status, { timeout: 5000 }).toBe(200)
  })

  test('a large status lets other work happen in between', async () => {
    const large = largeStatus(5, 4000)
    director.status = () => Promise.resolve(large)
    await serve()
    let turns = 0
    const counter = setInterval(() => turns++, 0)
    const { json } = await ask('GET', '/v1/status')
    clearInterval(counter)
    expect((json as { virtualServers: unknown[] }).virtualServers).toHaveLength(5)
    expect(turns).toBeGreaterThan(5)
  })
})

describe('events', () => {
  test('server-sent events with id, name and data; those remembered first', async () => {
    director.events.push(event(1), event(2))
    await serve()
    expect((await ask('GET', '/v1/events?follow=false&after=1')).text).toBe(
      `id: 2\nevent: server.down\ndata: ${JSON.stringify(event(2))}\n\n`,
    )
  })

  test('JSON lines on request, Last-Event-ID', async () => {
    director.events.push(event(1), event(2), event(3))
    await serve()
    const headers = { accept: 'application/x-ndjson', 'last-event-id': '2' }
    expect((await ask('GET', '/v1/events?follow=false', undefined, headers)).text).toBe(`${JSON.stringify(event(3))}\n`)
  })

  test('a long memory reaches a reader whole', async () => {
    for (let i = 1; i <= 20_000; i++) director.events.push(event(i))
    await serve({ socket: { path, limits: { eventBacklog: 10 } } })
    const { text } = await ask('GET', '/v1/events?follow=false', undefined, { accept: 'application/x-ndjson' })
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { sequence: number }).sequence),
    ).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 1))
  })

  test('a silent stream shows that it lives', async () => {
    await serve({ socket: { path, limits: { heartbeat: millis(20) } } })
    const socket = connect(path)
    socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
    let text = ''
    socket.on('data', (part) => (text += part.toString()))
    await expect.poll(() => text).toContain(': still here')
    socket.destroy()
    await expect.poll(() => director.subscribers()).toBe(0)
  })

  test('a slow reader is told and disconnected, and holds no memory', async () => {
    const logger = arrayLogger()
    await serve({ logger, socket: { path, limits: { eventBacklog: 100, stallTime: millis(300) } } })
    const socket = connect(path)
    socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\naccept: application/x-ndjson\r\n\r\n')
    await new Promise((resolve) => socket.once('readable', resolve))
    const long = 'x'.repeat(10_000)
    for (let i = 1; i <= 2000 && director.subscribers() > 0; i++) {
      director.emit(event(i, { message: long }))
      if (i % 20 === 0) await sleep(0)
    }
    expect(director.subscribers()).toBe(0)
    expect(logger.lines.map((line) => line.event)).toEqual(['control.events.dropped'])
    let text = ''
    socket.on('data', (part) => (text += part.toString()))
    await new Promise((resolve) => socket.once('close', resolve))
    expect(text).toContain('"code":"too-slow"')
  })

  test('one that never reads again is closed without having read the word', async () => {
    await serve({ socket: { path, limits: { eventBacklog: 10, stallTime: millis(50) } } })
    const socket = connect(path)
    socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
    await new Promise((resolve) => socket.once('readable', resolve))
    for (let i = 1; director.subscribers() > 0; i++) {
      director.emit(event(i, { message: 'x'.repeat(100_000) }))
      await sleep(0)
    }
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  })

  test('readers beyond the limit get 503, and places become free', async () => {
    const logger = arrayLogger()
    await serve({ logger, socket: { path, limits: { eventReaders: 1 } } })
    const abort = new AbortController()
    const events = controlClient({ path, signal: abort.signal }).events({ follow: true })
    const first = events.next()
    await expect.poll(() => director.subscribers()).toBe(1)
    expect((await ask('GET', '/v1/events')).status).toBe(503)
    expect(logger.lines).toMatchObject([{ level: 'warn', event: 'control.failed' }])
    abort.abort()
    await expect(first).rejects.toThrow()
    await expect.poll(async () => (await ask('GET', '/v1/events?follow=false')).status).toBe(200)
  })

  test('closing ends the streams in order', async () => {
    const server = await serve()
    const events = controlClient({ path }).events({ follow: true })
    const first = events.next()
    await expect.poll(() => director.subscribers()).toBe(1)
    director.emit(event(1))
    expect((await first).value).toEqual(event(1))
    const last = events.next()
    await server.close()
    expect((await last).done).toBe(true)
  })
})

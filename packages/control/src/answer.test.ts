import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { workPerTurn } from '@ipvs-director/core/testing'
import { answerPieces } from './answer.ts'
import { defaultLimits } from './limits.ts'
import { renderMetrics } from './metrics.ts'
import type { ServerStatus, Status } from './model.ts'
import { statusPieces } from './pieces.ts'
import { largeStatus } from './testing/index.ts'

let directory: string
let server: Server
let client: Socket

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'control-'))
})
afterEach(async () => {
  client.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await rm(directory, { recursive: true, force: true })
})

/** The response to the one request of a client that reads nothing by itself. */
async function response(): Promise<ServerResponse> {
  const path = join(directory, 's')
  const asked = new Promise<ServerResponse>((resolve) => {
    server = createServer((_, answering) => {
      resolve(answering)
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  client = connect(path)
  client.pause()
  client.on('error', () => undefined)
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  return asked
}

test('nothing is made ahead of a reader that does not read', async () => {
  const total = 20_000
  let made = 0
  function* pieces(): Generator<string> {
    for (; made < total; made++) yield 'x'.repeat(1000)
  }
  const done = answerPieces(await response(), 'text/plain', pieces(), defaultLimits)
  await sleep(100)
  const ahead = made
  expect(ahead).toBeLessThan(total / 10)
  client.resume()
  await done
  expect(made).toBe(total)
})

test('others have their turn between slices of work', async () => {
  let turns = 0
  const counter = setInterval(() => turns++, 0)
  function* pieces(): Generator<string> {
    for (let i = 0; i < 50; i++) {
      const until = performance.now() + 2
      while (performance.now() < until);
      yield ''
    }
  }
  await answerPieces(await response(), 'text/plain', pieces(), defaultLimits)
  clearInterval(counter)
  expect(turns).toBeGreaterThanOrEqual(10)
})

test('a reader that went away ends the work', async () => {
  let made = 0
  function* pieces(): Generator<string> {
    for (;;) {
      made++
      yield 'x'.repeat(1000)
    }
  }
  const done = answerPieces(await response(), 'text/plain', pieces(), defaultLimits)
  client.destroy()
  await done
  expect(made).toBeGreaterThan(0)
})

test.for([
  ['metrics', (status: Status) => renderMetrics(status, 'openmetrics'), 251],
  ['JSON', statusPieces, 100],
] as const)('%s: few servers are written before others may have their turn', async ([, pieces, most]) => {
  const work = workPerTurn()
  const counting = (one: ServerStatus): ServerStatus =>
    Object.defineProperty({ ...one }, 'name', { enumerable: true, get: () => (work.count(), one.name) })
  const large = largeStatus(50, 100)
  const virtualServers = large.virtualServers.map((each) => ({ ...each, servers: each.servers.map(counting) }))
  const answering = await response()
  client.resume()
  await answerPieces(answering, 'text/plain', pieces({ ...large, virtualServers }), defaultLimits)
  work.stop()
  expect(work.most()).toBeGreaterThan(0)
  expect(work.most()).toBeLessThanOrEqual(most)
})

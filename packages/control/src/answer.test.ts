import { createServer, type Server, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { millis } from '@ipvs-director/core'
import { answerPieces } from './answer.ts'
import { defaultLimits } from './limits.ts'

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
  await answerPieces(await response(), 'text/plain', pieces(), { ...defaultLimits, slice: millis(5) })
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

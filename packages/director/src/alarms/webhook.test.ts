import { seconds, systemClock } from '@ipvs-director/core'
import { arrayLogger } from '@ipvs-director/core/testing'
import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createWebhook, type WebhookEvent } from './webhook.ts'

let folder: string
let server: Server
let status: number
let got: { headers: IncomingHttpHeaders; body: string }[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hook-'))
  status = 204
  got = []
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      got.push({ headers: request.headers, body })
      response.writeHead(status, { location: '/elsewhere' }).end()
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

const event = (n: number): WebhookEvent => ({ at: '2026-01-02T03:04:05.000Z', event: 'server.up', message: `no ${n}`, fields: { server: 's' } }) // prettier-ignore

function start(secretFile?: string, path = '/hook?token=sesame') {
  const logger = arrayLogger()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  return { logger, hook: createWebhook({ url, secretFile }, 'LVS_1', { clock: systemClock, logger }) }
}

test('events are posted in order, at most a hundred together, signed so that the other side can check', async () => {
  const secretFile = join(folder, 'key')
  writeFileSync(secretFile, 'open sesame\n')
  const { hook } = start(secretFile)
  for (let i = 0; i < 150; i++) hook.add(event(i))
  await hook.finish(seconds(5))
  const bodies = got.map(({ body }) => JSON.parse(body) as { schema: number; router: string; events: WebhookEvent[] })
  expect(bodies.map(({ events }) => events.length)).toEqual([100, 50])
  expect(bodies[0]).toMatchObject({ schema: 1, router: 'LVS_1' })
  expect(bodies.flatMap(({ events }) => events)).toEqual(Array.from({ length: 150 }, (_, i) => event(i)))
  for (const { headers, body } of got) {
    const timestamp = String(headers['x-ipvs-director-timestamp'])
    const hmac = createHmac('sha256', 'open sesame').update(`${timestamp}.${body}`).digest('hex')
    expect(headers['x-ipvs-director-signature']).toBe(`sha256=${hmac}`)
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(300)
    expect(headers['content-type']).toBe('application/json')
  }
})

test('without a secret there is no signature', async () => {
  const { hook } = start()
  hook.add(event(1))
  await hook.finish(seconds(5))
  expect(got[0]?.headers['x-ipvs-director-signature']).toBeUndefined()
})

test.for([
  [500, { waiting: 1, dropped: 0 }],
  [404, { waiting: 1, dropped: 0 }],
  [302, { waiting: 1, dropped: 0 }],
  [400, { waiting: 0, dropped: 1 }],
] as const)('answer %i', async ([answer, figures]) => {
  status = answer
  const { hook, logger } = start()
  hook.add(event(1))
  await hook.finish(seconds(5))
  expect(hook.figures).toMatchObject(figures)
  expect(got).toHaveLength(1)
  expect(logger.lines[0]?.event).toBe('webhook.trouble')
  expect(logger.lines[0]?.message).not.toContain('sesame')
})

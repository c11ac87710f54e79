import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An etcd that a test can change, kill and start again. */
export interface EtcdGateway {
  readonly url: string
  put(key: string, value: string): Promise<void>
  remove(key: string): Promise<void>
  /** Gone, with its connections. */
  stop(): Promise<void>
  /** Again at the same address, with the same keys. */
  start(): Promise<void>
}

/** As much of etcd's JSON gateway as is used here, in memory. */
export interface FakeGateway extends EtcdGateway {
  /** What was asked, by path. */
  readonly asked: string[]
  /** The next watch is cancelled at once, as when the revision it begins at was compacted. */
  compactNext(): void
  /** The watches that are open get this line. */
  say(line: string): void
  /** How many watches are open. */
  watches(): number
  /** Keys change without a word to watches. */
  silently(key: string, value: string): void
}

export async function fakeGateway(): Promise<FakeGateway> {
  const values = new Map<string, string>()
  const watches = new Set<ServerResponse>()
  const history: { revision: number; line: string }[] = []
  const asked: string[] = []
  let revision = 1
  let compacted = false
  let server: Server
  let port = 0
  const encode = (text: string): string => Buffer.from(text).toString('base64')
  const header = () => ({ cluster_id: '1', member_id: '1', revision: String(revision), raft_term: '2' })

  function answer(
    path: string,
    body: { key?: string; range_end?: string; start_revision?: string },
    response: ServerResponse,
  ): void {
    asked.push(path)
    if (path === '/v3/kv/range') {
      const from = Buffer.from(body.key ?? '', 'base64').toString()
      const to = Buffer.from(body.range_end ?? '', 'base64').toString()
      const kvs = [...values].flatMap(([key, value]) =>
        key >= from && key < to ? [{ key: encode(key), value: encode(value), version: '1' }] : [],
      )
      response.end(
        JSON.stringify({ header: header(), ...(kvs.length === 0 ? {} : { kvs, count: String(kvs.length) }) }),
      )
      return
    }
    response.write(`${JSON.stringify({ result: { header: header(), created: true } })}\n`)
    if (compacted) {
      compacted = false
      response.end(`${JSON.stringify({ result: { header: header(), canceled: true, compact_revision: '9' } })}\n`)
      return
    }
    const missed = history.filter((each) => each.revision >= Number(body.start_revision))
    for (const { line } of missed) response.write(`${line}\n`)
    watches.add(response)
    response.on('close', () => watches.delete(response))
  }

  const say = (line: string): void => {
    for (const each of watches) each.write(`${line}\n`)
  }
  const tell = (event: unknown): void => {
    revision++
    const line = JSON.stringify({ result: { header: header(), events: [event] } })
    history.push({ revision, line })
    say(line)
  }
  const gateway: FakeGateway = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    asked,
    async put(key, value) {
      values.set(key, value)
      tell({ kv: { key: encode(key), value: encode(value) } })
    },
    async remove(key) {
      values.delete(key)
      tell({ type: 'DELETE', kv: { key: encode(key) } })
    },
    silently: (key, value) => void values.set(key, value),
    compactNext: () => void (compacted = true),
    say,
    watches: () => watches.size,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
    async start() {
      server = createServer((request, response) => {
        let text = ''
        request.on('data', (chunk) => (text += String(chunk)))
        request.on('end', () => {
          const body = JSON.parse(text) as { create_request?: object }
          answer(request.url ?? '', body.create_request ?? body, response)
        })
      })
      await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
      port = (server.address() as AddressInfo).port
    },
  }
  await gateway.start()
  return gateway
}

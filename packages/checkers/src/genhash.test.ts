import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { genhash } from './genhash.ts'
import { answering, testServers } from './testing/servers.ts'

const servers = testServers()
afterAll(() => servers.close())

async function run(args: string): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', '']
  const code = await genhash(args.split(' '), { out: (text) => (out += text), err: (text) => (err += text) })
  return { code, out, err }
}

const body = 'It works!\n'
const page = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nX-Test: 1\r\n\r\n${body}`
const digest = createHash('md5').update(body).digest('hex')

test('one line, of the body alone, whatever the status', async () => {
  const port = await servers.tcp(answering(page))
  expect(await run(`-s 127.0.0.1 -p ${port} -u /`)).toEqual({ code: 0, out: `${digest}\n`, err: '' })
  const missing = await servers.tcp(answering(page.replace('200 OK', '404 Not Found')))
  expect(await run(`--server 127.0.0.1 --port ${missing} --url /`)).toMatchObject({ code: 0, out: `${digest}\n` })
})

test('the request: path, virtual host and protocol', async () => {
  const requests: string[] = []
  const port = await servers.tcp((socket) => {
    socket.on('data', (data) => {
      requests.push(data.toString())
      socket.end(page)
    })
  })
  await run(`-s 127.0.0.1 -p ${port} -u /x -V web.test -P 1.0c`)
  expect(requests).toEqual([
    'GET /x HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nConnection: close\r\nHost: web.test\r\n\r\n',
  ])
})

test('through TLS, with SNI', async () => {
  const names: unknown[] = []
  const port = await servers.tls((socket) => {
    names.push('servername' in socket && socket.servername)
    socket.once('data', () => socket.end(page))
  })
  expect(await run(`-S -s 127.0.0.1 -p ${port} -u /`)).toMatchObject({ code: 0, out: `${digest}\n` })
  await run(`-S -I -V web.test -s 127.0.0.1 -p ${port} -u /`)
  expect(names).toEqual([false, 'web.test'])
})

test('verbose: header, body, digest, time', async () => {
  const port = await servers.tcp(answering(page))
  const { out } = await run(`-v -s 127.0.0.1 -p ${port} -u /`)
  expect(out).toContain('X-Test: 1\r\n')
  expect(out).toContain('0000  49 74 20 77 6f 72 6b 73 21 0a                    It works!.\n')
  expect(out).toMatch(new RegExp(`\n${digest}\nResponse time: \\d+ µs\n$`))
})

test.for([
  ['-p 80 -u /', 2, 'a server is needed'],
  ['-s nowhere -p 80 -u /', 2, '"nowhere" is not an IP address'],
  ['-s 127.0.0.1 -u /', 2, 'a port is needed'],
  ['-s 127.0.0.1 -p 99999 -u /', 2, '"99999" is not a port'],
  ['-s 127.0.0.1 -p 80', 2, 'a path is needed'],
  ['-s 127.0.0.1 -p 80 -u / -P 3', 2, 'the protocol must be'],
  ['-s 127.0.0.1 -p 80 -u / -t 0', 2, 'the timeout must be'],
  ['--nonsense', 2, 'nonsense'],
] as const)('%s: exit %s, %s', async ([args, code, said]) => {
  const result = await run(args)
  expect([result.code, result.err]).toEqual([code, expect.stringContaining(said)])
})

test('help; a server that is not there; one that is none', async () => {
  expect(await run('-h')).toMatchObject({ code: 0, out: expect.stringContaining('--use-virtualhost') as string })
  expect(await run(`-s 127.0.0.1 -p ${await servers.closedPort()} -u /`)).toMatchObject({
    code: 1,
    err: expect.stringContaining('connection refused') as string,
  })
  const port = await servers.tcp((socket) => socket.end())
  expect(await run(`-s 127.0.0.1 -p ${port} -u /`)).toMatchObject({ code: 1 })
})

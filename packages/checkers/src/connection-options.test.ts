/** Where a check connects to and from, for every kind that connects: the same server, with the option and without it. */
import { millis } from '@ipvs-director/core'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { checkers } from './checkers.ts'
import { createNodeIo } from './io/node-io.ts'
import { probeOnce } from './testing/probe.ts'
import { readChecker } from './testing/read.ts'
import { testServers } from './testing/servers.ts'

const servers = testServers()
const sockets = [createSocket('udp4')]
afterAll(async () => {
  for (const socket of sockets) socket.close()
  await servers.close()
})
const io = createNodeIo()

/** What each kind of server says to whom it takes. */
const speak = {
  plain: (socket: Socket) => socket.write('hello'),
  web: (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nfine')),
  mail(socket: Socket) {
    socket.write('220 mx\r\n')
    socket.on('data', (line) => socket.write(line.toString().startsWith('HELO') ? '250 ok\r\n' : '221 bye\r\n'))
  },
  agent: (socket: Socket) => socket.end('up\n'),
}

const kinds = [
  ['TCP_CHECK', 'plain', 'expect hello'],
  ['HTTP_GET', 'web', 'url {\n path /\n }'],
  ['SSL_GET', 'web', 'url {\n path /\n }'],
  ['SMTP_CHECK', 'mail', ''],
  ['AGENT_CHECK', 'agent', 'agent_required'],
] as const

async function ask(kind: string, words: string): Promise<boolean> {
  const { checker: read, remarks } = await readChecker(`${kind} {\n ${words}\n }`)
  expect(remarks.filter((remark) => remark.startsWith('E'))).toEqual([])
  const checker = checkers.find(({ keyword }) => keyword === read?.kind)
  if (read === undefined || checker === undefined) throw new Error('there is no such checker')
  const verdict = await probeOnce(checker, io, read.connection, read.options, { timeout: millis(500) })
  expect(verdict.class).not.toBe('local')
  return verdict.up
}

describe.for(kinds)('%s', ([kind, language, words]) => {
  async function serve(takes: (socket: Socket) => boolean): Promise<number> {
    const behave = (socket: Socket): void => {
      if (takes(socket)) speak[language](socket)
      else socket.destroy()
    }
    return kind === 'SSL_GET' ? servers.tls(behave) : servers.tcp(behave)
  }
  const at = (port: number): string => `${words}\n connect_ip 127.0.0.1\n connect_port ${port}`

  test('bindto', async () => {
    const port = await serve((socket) => socket.remoteAddress === '127.0.0.9')
    expect(await ask(kind, at(port))).toBe(false)
    expect(await ask(kind, `${at(port)}\n bindto 127.0.0.9`)).toBe(true)
  })

  test('bind_port', async () => {
    const own = await servers.closedPort()
    const port = await serve((socket) => socket.remotePort === own)
    expect(await ask(kind, at(port))).toBe(false)
    expect(await ask(kind, `${at(port)}\n bind_port ${own}`)).toBe(true)
  })

  test('connect_ip and connect_port', async () => {
    const [port, closed] = [await serve(() => true), await servers.closedPort()]
    expect(await ask(kind, at(port))).toBe(true)
    expect(await ask(kind, at(closed))).toBe(false)
  })
})

test.for(['bindto', 'bind_port'])('UDP_CHECK: %s', async (option) => {
  const [own, socket] = [await servers.closedPort(), createSocket('udp4')]
  sockets.push(socket)
  socket.on('message', (data, from) => {
    if (option === 'bindto' ? from.address === '127.0.0.9' : from.port === own)
      socket.send(data, from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const at = `require_reply\n connect_ip 127.0.0.1\n connect_port ${socket.address().port}`
  expect(await ask('UDP_CHECK', at)).toBe(false)
  expect(await ask('UDP_CHECK', `${at}\n ${option} ${option === 'bindto' ? '127.0.0.9' : own}`)).toBe(true)
})

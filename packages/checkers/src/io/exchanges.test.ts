import { systemClock } from '@ipvs-director/core'
import { addonAvailable, withinNamespace } from '@ipvs-director/linux'
import { noNamespaces, ownNamespace } from '@ipvs-director/linux/testing'
import { readdirSync, readlinkSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { httpGet } from '../http/checkers.ts'
import { connectionTo } from '../testing/checks.ts'
import { readChecker } from '../testing/read.ts'
import { testServers } from '../testing/servers.ts'
import { Exchanges } from './exchanges.ts'
import type { Exchange } from './port.ts'

const able = addonAvailable()
if (!able) console.warn('nothing is asked over connections of the addon: it is not there')
const kernel = test.skipIf(!able)

const servers = testServers()
afterAll(() => servers.close())

/** One url, as it is read. */
async function get(url = 'path /'): Promise<Exchange> {
  const { checker } = await readChecker(`HTTP_GET {\n url {\n ${url}\n }\n }`)
  const opening = httpGet.opens(checker?.options ?? {})
  if (typeof opening !== 'object') throw new Error('it is not asked over a connection')
  return opening
}

function listen(also: (place: number) => void = () => undefined) {
  const told: string[] = []
  const exchanges = new Exchanges(systemClock, (place, failure, status) => {
    told.push(`${place} ${failure === undefined ? status : `${failure.class}: ${failure.message}`}`)
    also(place)
  })
  const until = async (count: number): Promise<string[]> => {
    await expect.poll(() => told.length, { timeout: 5000 }).toBe(count)
    return told
  }
  return { exchanges, told, until }
}

const openSockets = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:')
    } catch {
      return false // what the folder was read by
    }
  }).length

kernel('a place that is asked again and again begins anew each time', async () => {
  const answers = [
    'HTTP/1.0 200 OK\r\n\r\n',
    'HTTP/1.0 503 No\r\n\r\n',
    'garbage\r\n\r\n',
    '',
    'HTTP/1.0 204 No Content\r\n\r\n',
  ]
  const sockets: Socket[] = []
  const port = await servers.tcp((socket) => {
    sockets.push(socket)
    const answer = answers[sockets.length - 1]
    if (answer === undefined) socket.resume()
    else socket.once('data', () => socket.end(answer))
  })
  const [at, exchange] = [connectionTo(port), await get()]
  const { exchanges, told, until } = listen()
  const before = openSockets()
  for (let n = 1; n <= answers.length; n++) {
    exchanges.ask(7, at, exchange)
    exchanges.go()
    await until(n)
  }
  expect(told.map((said) => said.replace(/ after .* from .*| from .*/, ''))).toEqual([
    '7 200',
    '7 mismatch: got 503, wanted 200-299',
    '7 protocol: not an HTTP answer',
    '7 protocol: closed before a whole header was sent',
    '7 204',
  ])
  // Of one that is given up nothing is told, and it can be asked again: before it goes out, and after that.
  exchanges.ask(7, at, exchange)
  expect(exchanges.progress(7)).toMatchObject({ steppedAt: undefined, waiting: 'no connection to' })
  exchanges.giveUp(7)
  exchanges.ask(7, at, exchange)
  exchanges.go()
  await expect.poll(() => exchanges.progress(7)?.waiting).toBe('no answer from')
  exchanges.giveUp(7)
  answers.push('', '', 'HTTP/1.0 200 OK\r\n\r\n')
  exchanges.ask(7, at, exchange)
  exchanges.go()
  expect((await until(6)).at(-1)).toBe('7 200')
  for (const socket of sockets) socket.destroy()
  await expect.poll(openSockets).toBeLessThanOrEqual(before)
})

kernel('one that is not connected at once is asked when it is', async () => {
  // Two connections wait to be accepted; to the SYN of a third the kernel says nothing, until it comes again a second later.
  const server = createServer((socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\n')))
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, resolve))
  const [at, exchange] = [connectionTo((server.address() as AddressInfo).port), await get()]
  const { exchanges, until } = listen()
  for (const place of [0, 1, 2, 3]) {
    exchanges.ask(place, at, exchange)
    if (place === 3) {
      exchanges.giveUp(place)
      exchanges.ask(place, at, exchange)
    }
    exchanges.go()
  }
  const waiting = [0, 1, 2, 3].map((place) => exchanges.progress(place)?.waiting)
  expect(waiting.slice(0, 2)).toEqual(['no answer from', 'no answer from'])
  expect(waiting.at(-1)).toBe('no connection to')
  expect([...(await until(4))].sort()).toEqual([0, 1, 2, 3].map((place) => `${place} 200`))
  server.close()
})

kernel('what a server says in pieces is put together, and each of them is a step', async () => {
  let socket: Socket | undefined
  const port = await servers.tcp((one) => (socket = one))
  const { exchanges, until } = listen()
  exchanges.ask(0, connectionTo(port), await get('path /\n regex "one two"'))
  exchanges.go()
  await expect.poll(() => socket).toBeDefined()
  let before = 0
  for (const piece of ['HTTP/1.0 2', '00 OK\r\n', '\r', '\none', ' two']) {
    socket?.write(piece)
    await expect.poll(() => exchanges.progress(0)).toMatchObject({ waiting: 'no end of the answer from' })
    await expect.poll(() => exchanges.progress(0)?.steppedAt).toBeGreaterThan(before)
    before = exchanges.progress(0)?.steppedAt ?? Infinity
  }
  socket?.end()
  expect(await until(1)).toEqual(['0 200'])
})

kernel('a request that the kernel takes only in parts is sent whole', async () => {
  const size = 8 * 1024 * 1024
  let got = 0
  const port = await servers.tcp((socket) => {
    socket.pause()
    setTimeout(() => socket.resume(), 50)
    socket.on('data', (data) => {
      got += data.length
      if (got === size) socket.end('HTTP/1.0 200 OK\r\n\r\n')
    })
  })
  const { exchanges, until } = listen()
  const exchange = await get()
  const large = { request: () => 'x'.repeat(size), reader: () => exchange.reader() }
  exchanges.ask(0, connectionTo(port), large)
  exchanges.go()
  expect(await until(1)).toEqual(['0 200'])
  expect(got).toBe(size)
})

kernel('whoever is told may ask again at once', async () => {
  const port = await servers.tcp((socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\n')))
  const [at, exchange] = [connectionTo(port), await get()]
  let left = 20
  const { exchanges, until } = listen((place) => {
    if (left-- <= 0) return
    exchanges.ask(place, at, exchange)
    exchanges.go()
  })
  for (let place = 0; place < 5; place++) exchanges.ask(place, at, exchange)
  exchanges.go()
  expect(new Set(await until(25))).toEqual(new Set([0, 1, 2, 3, 4].map((place) => `${place} 200`)))
})

kernel('a place that is another check by now asks for that', async () => {
  const paths: string[] = []
  const answer = (name: string) => (socket: Socket) =>
    socket.once('data', (data) => {
      paths.push(name + (/ (\S+) /.exec(data.toString())?.[1] ?? ''))
      socket.end('HTTP/1.0 200 OK\r\n\r\n')
    })
  const at = connectionTo(await servers.tcp(answer('a')))
  const elsewhere = connectionTo(await servers.tcp(answer('b')))
  const [one, other] = [await get('path /one'), await get('path /other')]
  const { exchanges, until } = listen()
  const turns = [[at, one], [at, other], [elsewhere, other], [at, one]] as const // prettier-ignore
  for (const [n, turn] of turns.entries()) {
    exchanges.ask(0, ...turn)
    exchanges.go()
    await until(n + 1)
  }
  expect(paths).toEqual(['a/one', 'a/other', 'b/other', 'a/one'])
})

kernel('what breaks on our side says nothing of the server', async () => {
  const port = await servers.tcp((socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\n')))
  const { exchanges, until } = listen()
  const broken = (): never => {
    throw new Error('a defect')
  }
  const [at, good] = [connectionTo(port), { take: () => undefined, fault: () => undefined, status: 1 }]
  exchanges.ask(0, at, { request: () => 'x', reader: broken })
  exchanges.ask(1, at, { request: () => 'x', reader: () => ({ ...good, take: broken }) })
  exchanges.ask(2, at, { request: () => 'x', reader: () => ({ ...good, fault: broken }) })
  exchanges.go()
  const said = 'local: the probe itself failed: a defect'
  expect([...(await until(3))].sort()).toEqual([0, 1, 2].map((place) => `${place} ${said}`))
})

kernel('one that cannot even begin is told with the others', async () => {
  const { exchanges, told, until } = listen()
  exchanges.ask(0, { ...connectionTo(80), bindInterface: 'nowhere0' }, await get())
  exchanges.ask(1, connectionTo(await servers.closedPort()), await get())
  exchanges.ask(2, { ...connectionTo(80), bindInterface: 'nowhere0' }, await get())
  exchanges.giveUp(2)
  expect(told).toEqual([])
  exchanges.go()
  const said = [...(await until(2))].sort()
  expect(said[0]).toBe('0 local: no socket for it: no such interface: 127.0.0.1:80')
  expect(said[1]).toMatch(/^1 refused: connection refused: 127/)
})

if (noNamespaces !== undefined) console.warn(`nobody meets itself: ${noNamespaces}`)
test.skipIf(!able || noNamespaces !== undefined)('a connection with itself is none', async () => {
  const space = await ownNamespace()
  try {
    // The kernel has one port to choose from, which is the one that is asked.
    await space.run('ip link set lo up && echo "40009 40009" > /proc/sys/net/ipv4/ip_local_port_range')
    const { exchanges, until } = listen()
    const exchange = await get()
    withinNamespace(space.path, () => {
      exchanges.ask(0, connectionTo(40_009), exchange)
      exchanges.go()
    })
    expect(await until(1)).toEqual(['0 refused: connection refused (it met itself): 127.0.0.1:40009'])
  } finally {
    space.close()
  }
})

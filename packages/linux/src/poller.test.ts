import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { addonAvailable } from './native.ts'
import { openConnection, type ConnectionListener, type PolledConnection } from './poller.ts'

if (!addonAvailable()) console.warn('the poller is not tested: the native addon is not built')
const polled = test.skipIf(!addonAvailable())

const servers: Server[] = []
const sockets: Socket[] = []
const open: PolledConnection[] = []
afterEach(async () => {
  for (const connection of open.splice(0)) connection.close()
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

function serve(behave: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    behave(socket)
  })
  servers.push(server)
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** struct sockaddr_in of 127.0.0.1. */
function loopback(port: number): Buffer {
  const address = Buffer.from([0, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  new Uint16Array(address.buffer, address.byteOffset, 1)[0] = 2
  address.writeUInt16BE(port, 2)
  return address
}

interface Heard {
  readonly connection: PolledConnection
  /** `w` writable, `e` ended, an error's code; data as it came. */
  readonly events: string[]
  readonly until: (event: string) => Promise<void>
}

function dial(port: number, change: (connection: PolledConnection) => Partial<ConnectionListener> = () => ({})): Heard {
  const events: string[] = []
  const waiting: (() => void)[] = []
  const heard = (event: string): void => {
    if (event !== 'w' || !events.includes('w')) events.push(event)
    for (const look of waiting) look()
  }
  const own: Partial<ConnectionListener> = {}
  const connection = openConnection(2, {
    writable: () => {
      own.writable?.()
      heard('w')
    },
    data: (chunk) => {
      own.data?.(chunk)
      heard(chunk.toString('latin1'))
    },
    ended: () => {
      heard('e')
    },
    failed: (error) => {
      heard(error.code)
    },
  })
  Object.assign(own, change(connection))
  open.push(connection)
  connection.connect(loopback(port))
  const until = (event: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (events.join('').includes(event)) resolve()
      }
      waiting.push(look)
      look()
    })
  return { connection, events, until }
}

polled('connects, sends, hears and sees the end', async () => {
  const port = await serve((socket) => socket.once('data', (data) => socket.end(`got ${data.toString()}`)))
  const { connection, events, until } = dial(port)
  await until('w')
  expect(connection.getsockname().readUInt16BE(2)).toBeGreaterThan(0)
  expect(connection.send(Buffer.from('ping'))).toBe(4)
  await until('e')
  expect(events).toEqual(['w', 'got ping', 'e'])
})

polled('a refusal is a failure with its code', async () => {
  const port = await serve(() => undefined)
  await new Promise((resolve) => servers.splice(0)[0]?.close(resolve))
  const { events, until } = dial(port)
  await until('ECONNREFUSED')
  expect(events).toEqual(['ECONNREFUSED'])
})

polled('a reset is told after what came before it', async () => {
  const port = await serve((socket) => {
    socket.write('half', () => setTimeout(() => socket.resetAndDestroy(), 20))
  })
  const { events, until } = dial(port)
  await until('ECONNRESET')
  expect(events).toEqual(['w', 'half', 'ECONNRESET'])
})

polled('megabytes come whole, although no edge is left for what a chunk leaves over', async () => {
  const bytes = Buffer.alloc(3_000_000, 'x')
  const port = await serve((socket) => socket.end(bytes))
  let length = 0
  const { until } = dial(port, () => ({
    data: (chunk) => {
      length += chunk.length
    },
  }))
  await until('e')
  expect(length).toBe(bytes.length)
})

polled('what is not taken at once is told to be writable later', async () => {
  let received = 0
  const port = await serve((socket) => {
    socket.pause()
    setTimeout(() => socket.resume(), 50)
    socket.on('data', (data) => (received += data.length))
  })
  const whole = Buffer.alloc(20_000_000)
  let unsent: Buffer | undefined
  const { until } = dial(port, (connection) => ({
    writable: () => {
      unsent ??= whole
      for (let taken = 0; taken >= 0 && unsent.length > 0;) {
        taken = connection.send(unsent)
        if (taken > 0) unsent = unsent.subarray(taken)
      }
    },
  }))
  await until('w')
  while (received < whole.length) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(received).toBe(whole.length)
})

polled('with the watch off nothing comes until it is on', async () => {
  const port = await serve((socket) => setTimeout(() => socket.write('late'), 30))
  const { connection, events, until } = dial(port)
  await until('w')
  connection.watch(false)
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(events).toEqual(['w'])
  connection.watch(true)
  await until('late')
})

polled('who only wants to connect reads nothing, and may change its mind', async () => {
  const port = await serve((socket) => socket.end('hello'))
  const events: string[] = []
  let woken = (): void => undefined
  const heard = (event: string): void => {
    events.push(event)
    woken()
  }
  const connection = openConnection(2, {
    writable: () => {
      if (!events.includes('w')) heard('w')
    },
    data: (chunk) => {
      heard(chunk.toString())
    },
    ended: () => {
      heard('e')
    },
    failed: (error) => {
      heard(error.code)
    },
  })
  open.push(connection)
  connection.connect(loopback(port), false)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(events).toEqual(['w'])
  await new Promise<void>((resolve) => {
    woken = () => {
      if (events.includes('e')) resolve()
    }
    connection.watch(true)
  })
  expect(events).toEqual(['w', 'hello', 'e'])
})

polled('closed within a turn, nothing more is told; closing twice does nothing', async () => {
  const port = await serve((socket) => socket.end('never heard'))
  const { connection, events, until } = dial(port, (own) => ({
    writable: () => {
      own.close()
      own.close()
    },
  }))
  await until('w')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(events).toEqual(['w'])
  expect(() => connection.getsockname()).toThrow('EBADF')
})

polled('a descriptor that is given away is open and silent', async () => {
  const port = await serve((socket) => setTimeout(() => socket.end('for somebody else'), 30))
  const { connection, events, until } = dial(port)
  await until('w')
  const { Socket: NodeSocket } = await import('node:net')
  const socket = new NodeSocket({ fd: connection.detach(), readable: true, writable: true })
  const text = await new Promise((resolve) =>
    socket.once('data', (data) => {
      resolve(data.toString())
    }),
  )
  expect([text, events]).toEqual(['for somebody else', ['w']])
  socket.destroy()
})

polled('five hundred at once, each with its own answer', async () => {
  const port = await serve((socket) => socket.once('data', (data) => socket.end(data)))
  const all = Array.from({ length: 500 }, (_, n) => {
    const heard = dial(port, (connection) => {
      let sent = false
      return {
        writable: () => {
          if (!sent) connection.send(Buffer.from(`<${n}>`))
          sent = true
        },
      }
    })
    return heard.until('e').then(() => heard.events.join(''))
  })
  expect(await Promise.all(all)).toEqual(Array.from({ length: 500 }, (_, n) => `w<${n}>e`))
})

polled('a turn tells of more than one call into the kernel finds', async () => {
  const port = await serve(() => undefined)
  let turn = 0
  const told: number[] = []
  const many = Array.from({ length: 300 }, () =>
    dial(port, () => ({
      writable: () => {
        told[turn] = (told[turn] ?? 0) + 1
      },
    })),
  )
  for (; told.reduce((sum, each) => sum + each, 0) < many.length; turn++) await new Promise(setImmediate)
  expect(Math.max(...told.filter((each) => each > 0))).toBeGreaterThan(64)
})

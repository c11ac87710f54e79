import { createSocket } from 'node:dgram'

/** A record as the answer holds it; `data` as RFC 1035 lays it out. */
export interface WireRecord {
  readonly type: number
  readonly ttl: number
  readonly data: Uint8Array
}

/** Record types (RFC 1035, 3596, 2782). */
export const recordType = { a: 1, aaaa: 28, srv: 33 } as const

/** A name server on loopback that knows these names: without records of a type, no data; without the name, no such domain. */
export async function nameServer(
  names: Readonly<Record<string, readonly WireRecord[]>>,
): Promise<{ readonly address: string; close(): void }> {
  const socket = createSocket('udp4')
  socket.on('message', (query, from) => {
    const { name, end } = nameAt(query, 12)
    const type = query.readUInt16BE(end)
    const known = names[name.toLowerCase()]
    const answers = (known ?? []).filter((each) => each.type === type)
    const header = Buffer.alloc(12)
    header.writeUInt16BE(query.readUInt16BE(0), 0)
    header.writeUInt16BE(0x8580 | (known === undefined ? 3 : 0), 2) // answer, authoritative, recursion; 3: NXDOMAIN
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(answers.length, 6)
    const records = answers.map(({ ttl, data }) => {
      const record = Buffer.alloc(12)
      record.writeUInt16BE(0xc00c, 0) // the name of the question
      record.writeUInt16BE(type, 2)
      record.writeUInt16BE(1, 4)
      record.writeUInt32BE(ttl, 6)
      record.writeUInt16BE(data.length, 10)
      return Buffer.concat([record, data])
    })
    socket.send(Buffer.concat([header, query.subarray(12, end + 4), ...records]), from.port, from.address)
  })
  await new Promise<void>((resolve) => {
    socket.bind(0, '127.0.0.1', resolve)
  })
  return {
    address: `127.0.0.1:${socket.address().port}`,
    close: () => {
      socket.close()
    },
  }
}

function nameAt(message: Buffer, at: number): { name: string; end: number } {
  const labels: string[] = []
  let end = at
  for (let length = message[end] ?? 0; length > 0; length = message[end] ?? 0) {
    labels.push(message.toString('latin1', end + 1, end + 1 + length))
    end += 1 + length
  }
  return { name: labels.join('.'), end: end + 1 }
}

/** Priority, weight, port, target. */
export function srvData(priority: number, weight: number, port: number, target: string): Uint8Array {
  const numbers = Buffer.alloc(6)
  numbers.writeUInt16BE(priority, 0)
  numbers.writeUInt16BE(weight, 2)
  numbers.writeUInt16BE(port, 4)
  const labels = target.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'))
  return Buffer.concat([numbers, ...labels, Buffer.of(0)])
}

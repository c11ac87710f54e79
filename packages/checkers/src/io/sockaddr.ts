import { addressBytes, familyOf, type Address } from '@ipvs-director/core'
import { endianness } from 'node:os'

export const AF_INET = 2
export const AF_INET6 = 10

/** `struct sockaddr_in` (16 bytes) or `sockaddr_in6` (28 bytes), linux/in.h and in6.h. `scope`: interface index. */
export function sockaddr(address: Address, port: number, scope = 0): Buffer {
  const bytes = addressBytes(address)
  if (familyOf(address) === 'inet') {
    const buffer = zeroed(16)
    putU16(buffer, AF_INET)
    buffer.writeUInt16BE(port, 2)
    buffer.set(bytes, 4)
    return buffer
  }
  const buffer = zeroed(28)
  putU16(buffer, AF_INET6)
  buffer.writeUInt16BE(port, 2)
  buffer.set(bytes, 8)
  buffer.set(int(scope), 24)
  return buffer
}

/** A piece of Node's pool: memory of its own for each of tens of thousands would be ten times what it holds. */
const zeroed = (length: number): Buffer => Buffer.allocUnsafe(length).fill(0)

/** A C `int` or `uint32_t` in the machine's byte order, as setsockopt takes it. */
export function int(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  if (little) buffer.writeUInt32LE(value >>> 0)
  else buffer.writeUInt32BE(value >>> 0)
  return buffer
}

const little = endianness() === 'LE'

function putU16(buffer: Buffer, value: number): void {
  if (little) buffer.writeUInt16LE(value)
  else buffer.writeUInt16BE(value)
}

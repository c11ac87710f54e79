import { DecodeError } from '@ipvs-director/core'

/** grpc.health.v1.HealthCheckResponse.ServingStatus by number. */
export const servingStatus = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const
export type ServingStatus = (typeof servingStatus)[number]

/** Names of grpc-status (grpc/doc/statuscodes.md). */
const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]

export const statusName = (status: string): string => `${status} ${statusNames[Number(status)] ?? ''}`.trim()

/** A HealthCheckRequest { string service = 1 } in a message frame: not compressed, four bytes of length. */
export function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service)
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name])
  const frame = Buffer.alloc(5)
  frame.writeUInt32BE(message.length, 1)
  return Buffer.concat([frame, message])
}

/** The status of a HealthCheckResponse { ServingStatus status = 1 } in a message frame. Throws a DecodeError. */
export function decodeHealthResponse(body: Buffer): ServingStatus {
  if (body.length < 5) throw new DecodeError('no whole message in the answer')
  if (body[0] !== 0) throw new DecodeError('a compressed message, which was not asked for')
  const length = body.readUInt32BE(1)
  if (body.length < 5 + length) throw new DecodeError(`a message of ${length} bytes is cut off`)
  const reader = new Reader(body.subarray(5, 5 + length))
  let status = 0
  while (!reader.atEnd) {
    const tag = reader.varint()
    if (tag === 0x08) status = reader.varint()
    else reader.skip(tag & 7)
  }
  return servingStatus[status] ?? 'UNKNOWN'
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let left = value
  for (; left > 0x7f; left >>>= 7) bytes.push((left & 0x7f) | 0x80)
  return Buffer.from([...bytes, left])
}

/** Protocol buffers, as much as it takes to pass over what is not known. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw new DecodeError('a number is cut off')
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw new DecodeError('a number of more than ten bytes')
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint()
    else if (wireType === 1) this.#at += 8
    else if (wireType === 2) {
      const length = this.varint()
      this.#at += length
    } else if (wireType === 5) this.#at += 4
    else throw new DecodeError(`wire type ${wireType}`)
    if (this.#at > this.#bytes.length) throw new DecodeError('a field is cut off')
  }
}

import { ProbeFailure } from '../verdict.ts'

/** RFC 9113 §6. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const

export const flag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 0x20 } as const

/** RFC 9113 §6.5.2 */
export const setting = { enablePush: 2, initialWindowSize: 4 } as const

/** The only stream there is: one request. */
export const ours = 1

export const wrong = (what: string): ProbeFailure => new ProbeFailure('protocol', `HTTP/2: ${what}`)

/** RFC 9113 §7, by number. */
const errorNames = [
  ...['NO_ERROR', 'PROTOCOL_ERROR', 'INTERNAL_ERROR', 'FLOW_CONTROL_ERROR', 'SETTINGS_TIMEOUT', 'STREAM_CLOSED'],
  ...['FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR', 'ENHANCE_YOUR_CALM'],
  ...['INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
]

export const errorName = (code: number): string => errorNames[code] ?? `error ${code}`

/** Most in a frame, either way: what everybody takes without being asked (RFC 9113 §4.2). */
export const maxFrame = 16_384

const headLength = 9

export interface Frame {
  readonly type: number
  readonly flags: number
  readonly stream: number
  /** Valid only until the next chunk is read. */
  readonly body: Buffer
}

export function encodeFrame(type: number, flags: number, stream: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(headLength)
  head.writeUIntBE(body.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** Cuts what arrives into frames. */
export class FrameReader {
  #rest: Buffer | undefined;

  /** The frames that are whole by now. A {@link ProbeFailure} when one is longer than allowed. */
  *take(chunk: Buffer): Generator<Frame> {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (; at + headLength <= bytes.length;) {
      const length = bytes.readUIntBE(at, 3)
      if (length > maxFrame) throw wrong(`a frame of ${length} bytes`)
      const from = at + headLength
      if (from + length > bytes.length) break
      at = from + length
      const stream = bytes.readUInt32BE(from - 4) & 0x7fffffff
      yield { type: bytes[from - 6] ?? 0, flags: bytes[from - 5] ?? 0, stream, body: bytes.subarray(from, at) }
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined
  }
}

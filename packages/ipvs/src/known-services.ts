import { inSlices } from '@ipvs-director/core'
import { littleEndian } from '@ipvs-director/linux'
import * as c from './constants.ts'
import { decodeService, type PlainService } from './decode.ts'

interface Known {
  /** The message up to the statistics. */
  readonly bytes: Buffer
  readonly service: PlainService
}

/**
 * Reads the messages of GET_SERVICE dumps, and remembers them: from one audit to the next a table of thousands of
 * services seldom changes, and comparing bytes is much cheaper than decoding them.
 */
export class KnownServices {
  private known: readonly (Known | undefined)[] = []

  /** One dump's services, in its order; those of foreign protocols left out. Throws a DecodeError. */
  async read(payloads: readonly Buffer[]): Promise<PlainService[]> {
    const before = this.known
    const now: (Known | undefined)[] = []
    const services: PlainService[] = []
    await inSlices(payloads.entries(), ([i, payload]) => {
      const known = recall(before[i], payload) ?? learn(payload)
      now.push(known)
      if (known !== undefined) services.push(known.service)
    })
    this.known = now
    return services
  }
}

function recall(known: Known | undefined, payload: Buffer): Known | undefined {
  if (known === undefined || payload.length < known.bytes.length) return undefined
  return payload.compare(known.bytes, 0, known.bytes.length, 0, known.bytes.length) === 0 ? known : undefined
}

function learn(payload: Buffer): Known | undefined {
  const service = decodeService(payload)
  return service === undefined ? undefined : { bytes: Buffer.from(payload.subarray(0, statisticsAt(payload))), service }
}

/**
 * Where the statistics begin, after everything that says what the service is; the whole length where something else
 * follows them. Decoding has checked all lengths.
 */
function statisticsAt(payload: Buffer): number {
  let start = payload.length
  let at = 4 // within SERVICE
  while (at + 4 <= payload.length) {
    const length = littleEndian ? payload.readUInt16LE(at) : payload.readUInt16BE(at)
    const id = (littleEndian ? payload.readUInt16LE(at + 2) : payload.readUInt16BE(at + 2)) & 0x3fff
    const counts = id === c.IPVS_SVC_ATTR_STATS || id === c.IPVS_SVC_ATTR_STATS64
    if (!counts && start < payload.length) return payload.length
    if (counts) start = Math.min(start, at)
    at += (length + 3) & ~3
  }
  return start
}

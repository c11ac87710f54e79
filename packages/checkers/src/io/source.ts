import type { CheckConnection } from '@ipvs-director/config'
import type { Address } from '@ipvs-director/core'
import { openSocket, type KernelSocket } from '@ipvs-director/linux'
import { addressOf, prepare } from './prepare.ts'
import { AF_INET } from './sockaddr.ts'

/** linux/net.h */
const SOCK_DGRAM = 2
/** A sockaddr of AF_UNSPEC: connecting to it disconnects. */
const nowhere = Buffer.alloc(16)

/** Says which IPv4 address the kernel would send from, for one mark and one interface: nothing is sent. */
export class Source {
  readonly broken = false
  readonly #socket: KernelSocket

  constructor(at: CheckConnection) {
    this.#socket = openSocket(
      { domain: AF_INET, type: SOCK_DGRAM, protocol: 0, bufferBytes: 1 },
      { error: () => undefined },
    )
    try {
      prepare(this.#socket, { ...at, bindPort: undefined })
    } catch (error) {
      this.#socket.close()
      throw error
    }
  }

  /** Throws what connect(2) says: that there is no route. */
  addressFor(at: CheckConnection): Address {
    this.#socket.connect(addressOf(at))
    const source = this.#socket.getsockname().subarray(4, 8).join('.') as Address
    this.#socket.connect(nowhere)
    return source
  }
}

/** One ICMP echo request (RFC 792, RFC 4443), for "is anybody there?". */
import { familyOf, type Address } from '@ipvs-director/core'
import { openSocket } from './native.ts'
import { checksum } from './neighbour-frames.ts'
import { AF_INET, AF_INET6 } from './netlink/route/constants.ts'
import { addressOf, socketAddress } from './sockaddr.ts'

const SOCK_RAW = 3
const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58
const ICMP6_FILTER = 1
const payload = Buffer.from('ipvs-director')

let next = Math.floor(Math.random() * 0xffff)

/** Waits for an echo reply; false when none comes before `signal` aborts, or nothing can be sent. `scope`: see {@link socketAddress}. */
export function echo(target: Address, signal: AbortSignal, scope = 0): Promise<boolean> {
  const isV4 = familyOf(target) === 'inet'
  next = (next + 1) & 0xffff
  const id = next
  return new Promise((resolve) => {
    const protocol = isV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6
    const socket = openSocket(
      { domain: isV4 ? AF_INET : AF_INET6, type: SOCK_RAW, protocol, bufferBytes: 512 },
      {
        error: () => undefined, // a raw socket hears errors of others too: silence decides
        message(data, from) {
          const message = isV4 ? data.subarray(((data[0] ?? 0) & 0xf) * 4) : data
          const isReply = message[0] === (isV4 ? 0 : 129) && message.length >= 8 && message.readUInt16BE(4) === id
          if (isReply && from !== undefined && addressOf(from) === target) finish(true)
        },
      },
    )
    const finish = (answered: boolean): void => {
      socket.close()
      signal.removeEventListener('abort', onAbort)
      resolve(answered)
    }
    const onAbort = (): void => {
      finish(false)
    }
    try {
      signal.addEventListener('abort', onAbort, { once: true })
      if (!isV4) socket.setsockopt(IPPROTO_ICMPV6, ICMP6_FILTER, onlyReplies)
      socket.start()
      socket.send(request(isV4, id), socketAddress(target, scope))
      if (signal.aborted) finish(false)
    } catch {
      finish(false)
    }
  })
}

/** Type 129 passes, nothing else. */
const onlyReplies = Buffer.from(Uint32Array.of(0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_fffd, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff).buffer) // prettier-ignore

/** The kernel sums ICMPv6. */
function request(isV4: boolean, id: number): Buffer {
  const message = Buffer.concat([Buffer.of(isV4 ? 8 : 128, 0, 0, 0, id >> 8, id & 0xff, 0, 1), payload])
  if (isV4) message.writeUInt16BE(checksum(message), 2)
  return message
}

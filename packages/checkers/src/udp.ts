import { block, connection, dataPath, integer, timing, value, type CheckConnection } from '@ipvs-director/config'
import { count, formatDuration, seconds } from '@ipvs-director/core'
import { defineChecker, type Probe } from './define.ts'
import { agrees, hexKind, readHex, type HexPattern } from './hex.ts'
import type { Datagrams } from './io/port.ts'
import { targetOf } from './io/target.ts'
import { fail, failed, pass, ProbeFailure, type Finding } from './verdict.ts'

/** UDP_CHECK as its probe gets it. */
export interface UdpOptions {
  /** What is sent, as hexadecimal text. */
  readonly payload: string
  /** Undefined: silence is as good as an answer. */
  readonly reply: { readonly pattern: HexPattern | undefined; readonly min: number; readonly max: number } | undefined
}

/** What is sent where nothing is configured: 32 bytes that say in a packet dump who sent them. */
const defaultPayload = Buffer.from('ipvs-director UDP health check\r\n').toString('hex')

/**
 * UDP_CHECK (keepalived's check_udp.c): a datagram is sent; an ICMP "unreachable" within connect_timeout means down.
 * With require_reply silence means down too, and an answer must be as configured.
 */
export const udpCheck = defineChecker({
  block: block(
    'UDP_CHECK',
    'Up unless a datagram is refused; with require_reply, when the right answer comes.',
    {
      payload: value('payload', hexKind(false), { doc: 'The datagram to send.' }),
      requireReply: value('require_reply', hexKind(true), {
        bare: '',
        doc: 'An answer must come; with data, it must begin like this.',
      }),
      minReplyLength: integer('min_reply_length', {
        min: 0,
        max: 65_535,
        default: 0,
        since: '2.2.0',
        doc: 'Shortest answer that is right; counts only where require_reply has data.',
      }),
      maxReplyLength: integer('max_reply_length', {
        min: 0,
        max: 65_535,
        default: 255,
        since: '2.2.0',
        doc: 'Longest answer that is right; counts only where require_reply has data.',
      }),
      ...connection,
      ...dataPath,
      ...timing,
    },
    { since: '2.1.0' },
  ),
  defaults: { retry: 1, delayBeforeRetry: seconds(1) },
  unseen: ({ reply }: UdpOptions) => (reply === undefined ? ['silent'] : []),
  complete({ payload, requireReply, minReplyLength, maxReplyLength }, around) {
    const hasData = requireReply !== undefined && requireReply !== ''
    if (hasData && minReplyLength > maxReplyLength) {
      around.error('min_reply_length is larger than max_reply_length', 'min_reply_length')
    }
    const sent = payload === undefined ? undefined : readHex(payload, false)
    const options: UdpOptions = {
      payload: sent?.bytes ?? defaultPayload,
      reply:
        requireReply === undefined
          ? undefined
          : {
              pattern: requireReply === '' ? undefined : readHex(requireReply, true),
              min: minReplyLength,
              max: maxReplyLength,
            },
    }
    return { options }
  },
  async probe({ options, attempt, io }: Probe<UdpOptions>, at: CheckConnection): Promise<Finding> {
    let datagrams: Datagrams | undefined
    try {
      let answer: Buffer | undefined
      datagrams = await io.datagrams(at, attempt)
      datagrams.send(Buffer.from(options.payload, 'hex'))
      await datagrams.receive((data) => {
        answer = data
        return true
      })
      const seen = `after ${formatDuration(attempt.elapsed())} from ${targetOf(at).where}`
      return judge(options, answer ?? Buffer.alloc(0), seen)
    } catch (error) {
      const silent = error instanceof ProbeFailure && error.class === 'timeout' && attempt.ended === 'timeout'
      if (!silent || options.reply !== undefined) return failed(error)
      return pass(`not refused by ${targetOf(at).where} within ${formatDuration(attempt.stepTimeout)}`)
    } finally {
      datagrams?.close()
    }
  },
})

function judge({ reply }: UdpOptions, answer: Buffer, seen: string): Finding {
  const got = `got ${count(answer.length, 'byte')}`
  if (reply?.pattern === undefined) return pass(`${got} ${seen}`)
  const { pattern, min, max } = reply
  if (answer.length < min || answer.length > max) return fail('mismatch', `${got}, wanted ${min} to ${max} ${seen}`)
  if (!agrees(answer, pattern)) {
    return fail('mismatch', `${got} that do not begin with ${wantedOf(pattern)} ${seen}`)
  }
  return pass(`${got} ${seen}`)
}

function wantedOf({ bytes, mask }: HexPattern): string {
  return Array.from(bytes, (digit, i) => (mask[i] === '0' ? 'x' : digit)).join('')
}

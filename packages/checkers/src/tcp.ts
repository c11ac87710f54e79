import {
  block,
  connection,
  dataPath,
  flag,
  quoted,
  timing,
  value,
  type CheckConnection,
  type CheckTiming,
} from '@ipvs-director/config'
import { count, formatDuration, millis, seconds, type Millis } from '@ipvs-director/core'
import { defineChecker, type Probe } from './define.ts'
import { contains, type Expectation } from './expect.ts'
import { hexKind, readHex } from './hex.ts'
import type { Connection } from './io/port.ts'
import { targetOf } from './io/target.ts'
import { patternProblems } from './pattern/match.ts'
import { failed, pass, ProbeFailure, type Finding } from './verdict.ts'

/** TCP_CHECK as its probe gets it; without both it only connects, as keepalived's does. */
export interface TcpOptions {
  /** Only a SYN is sent: the server accepts nothing. */
  readonly halfOpen?: true
  /** What is sent, as hexadecimal text. */
  readonly send: string | undefined
  readonly expect: Expectation | undefined
}

const onlyConnects: TcpOptions = { send: undefined, expect: undefined }

/** Longest answer in which the expected is looked for. */
const maxAnswer = 64 * 1024

/**
 * TCP_CHECK (keepalived's check_tcp.c): the connection opens within connect_timeout, and is closed at once. Of our own:
 * something is sent, and something expected.
 */
export const tcpCheck = defineChecker({
  block: block('TCP_CHECK', 'Up when a TCP connection opens in time; it is closed at once.', {
    send: quoted('send', { extension: true, doc: 'Text to send, with escapes such as \\r\\n.' }),
    sendHex: value('send_hex', hexKind(false), { extension: true, doc: 'Bytes to send.' }),
    expect: quoted('expect', { extension: true, doc: 'Text that must be in the answer.' }),
    expectHex: value('expect_hex', hexKind(true), {
      extension: true,
      doc: 'Bytes that the answer must begin with; x stands for any digit.',
    }),
    halfOpen: flag('half_open', {
      extension: true,
      doc: 'Send only a SYN: the server answers, and has no connection to accept. Needs CAP_NET_RAW.',
    }),
    expectRegex: quoted('expect_regex', { extension: true, doc: 'What the answer must match (PCRE2).' }),
    ...connection,
    ...dataPath,
    ...timing,
  }),
  defaults: { retry: 1, delayBeforeRetry: seconds(1) },
  /** Connecting, and each piece of an answer, has connect_timeout; all together three of them. */
  deadline: ({ timeout }: CheckTiming): Millis => millis(timeout * 3),
  complete(written, around) {
    const { send, sendHex, expect, expectHex, expectRegex, halfOpen } = written
    const speaks = [send, sendHex, expect, expectHex, expectRegex].some((one) => one !== undefined)
    if (!halfOpen && !speaks) return { options: onlyConnects }
    if (halfOpen && around.dataPath) around.error('half_open and data_path exclude each other', 'half_open')
    if (halfOpen && speaks) around.error('with half_open nothing can be sent or expected', 'half_open')
    if (send !== undefined && sendHex !== undefined) around.error('send and send_hex exclude each other', 'send_hex')
    if ([expect, expectHex, expectRegex].filter((one) => one !== undefined).length > 1) {
      around.error('only one of expect, expect_hex and expect_regex can be given', 'expect')
    }
    const problem = expectRegex === undefined ? undefined : patternProblems({ source: expectRegex, options: [] }).error
    if (problem !== undefined) around.error(`expect_regex "${expectRegex ?? ''}": ${problem}`, 'expect_regex')
    const bytes = sendHex === undefined ? undefined : readHex(sendHex, false)?.bytes
    const options: TcpOptions = {
      ...(halfOpen ? { halfOpen } : {}),
      send: send === undefined ? bytes : Buffer.from(send).toString('hex'),
      expect:
        expect !== undefined
          ? { kind: 'text', hex: Buffer.from(expect).toString('hex') }
          : expectHex !== undefined
            ? { kind: 'bytes', pattern: readHex(expectHex, true) ?? { bytes: '', mask: '' } }
            : expectRegex !== undefined && problem === undefined
              ? { kind: 'regex', pattern: { source: expectRegex, options: [] } }
              : undefined,
    }
    return { options }
  },
  opens: ({ send, expect, halfOpen }) =>
    halfOpen === true ? 'halfOpen' : send === undefined && expect === undefined ? 'connect' : undefined,
  async probe({ options, attempt, io }: Probe<TcpOptions>, at: CheckConnection): Promise<Finding> {
    const { send, expect } = options
    let opened: Connection | undefined
    try {
      opened = await io.connect(at, attempt, undefined, expect !== undefined)
      if (send !== undefined) opened.write(Buffer.from(send, 'hex'))
      if (expect !== undefined) await readUntil(opened, expect, targetOf(at).where)
      const what = expect === undefined ? 'connected to' : 'got what was expected from'
      return pass(`${what} ${targetOf(at).where} after ${formatDuration(attempt.elapsed())}`)
    } catch (error) {
      return failed(error)
    } finally {
      opened?.close()
    }
  },
})

async function readUntil(opened: Connection, expect: Expectation, where: string): Promise<void> {
  let answer = Buffer.alloc(0)
  const end = await opened.read((chunk) => {
    answer = Buffer.concat([answer, chunk])
    const found = contains(answer, expect)
    if (found === 'tooSlow') throw new ProbeFailure('mismatch', 'the regex took too long to search the answer')
    if (found) return true
    if (answer.length <= maxAnswer) return false
    throw new ProbeFailure('mismatch', `got ${count(answer.length, 'byte')}, not what was expected in them`)
  })
  if (end === 'enough') return
  const got =
    answer.length === 0 ? 'closed without an answer' : `got ${count(answer.length, 'byte')}, not what was expected`
  throw new ProbeFailure(answer.length === 0 ? 'protocol' : 'mismatch', `${got} from ${where}`)
}

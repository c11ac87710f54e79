import { DEFAULT_CIPHERS } from 'node:tls'
import { afterEach, describe, expect, test } from 'vitest'
import { addonAvailable, type TlsSession } from './native.ts'
import { openTlsSession, tlsAvailable } from './tls-session.ts'

const available = tlsAvailable(DEFAULT_CIPHERS)
if (!available) {
  console.warn(
    `sessions are not tested: ${addonAvailable() ? 'Node.js has no OpenSSL 3' : 'the native addon is not built'}`,
  )
}

const sessions: TlsSession[] = []
afterEach(() => {
  for (const session of sessions.splice(0)) session.close()
})

function open(serverName?: string): TlsSession {
  const session = openTlsSession(serverName)
  sessions.push(session)
  return session
}

function taken(session: TlsSession): Buffer {
  const parts: Buffer[] = []
  const into = Buffer.alloc(100)
  for (let length = session.take(into); length > 0; length = session.take(into)) {
    parts.push(Buffer.from(into.subarray(0, length)))
  }
  return Buffer.concat(parts)
}

describe.skipIf(!available)('a session', () => {
  test('begins with a hello, in pieces', () => {
    const session = open('web.test')
    expect(taken(session)).toHaveLength(0)
    expect(session.handshake()).toBe(false)
    const hello = taken(session)
    // RFC 8446 §5.1: a handshake record, as long as it says.
    expect([hello[0], hello.readUInt16BE(3)]).toEqual([22, hello.length - 5])
    expect(hello.includes('web.test')).toBe(true)
    expect(session.handshake()).toBe(false)
    expect(taken(session)).toHaveLength(0)
  })

  test('without a name sends none', () => {
    const session = open()
    session.handshake()
    expect(taken(session).includes('web.test')).toBe(false)
  })

  test('has nothing to read before the end of the handshake', () => {
    const session = open()
    expect(session.read(Buffer.alloc(10))).toBe(-1)
  })

  test.for([
    ['HTTP/1.1 400 Bad Request\r\n\r\n', 'wrong version number'],
    [Buffer.from([21, 3, 3, 0, 2, 2, 40]), 'alert handshake failure'],
  ] as const)('says in the words of OpenSSL what is wrong: %o', ([answer, said]) => {
    const session = open()
    session.handshake()
    session.feed(Buffer.from(answer))
    const error = { code: 'ERR_SSL', message: expect.stringContaining(said) as string }
    expect(() => session.handshake()).toThrow(expect.objectContaining(error) as Error)
  })

  test('cannot be written to before the end of the handshake', () => {
    const session = open()
    expect(() => {
      session.write(Buffer.from('x'))
    }).toThrow(expect.objectContaining({ code: 'ERR_SSL' }) as Error)
  })

  test('once closed does nothing more', () => {
    const session = open()
    session.close()
    session.close()
    expect(() => session.handshake()).toThrow('not an open TlsSession')
    expect(() => session.read(Buffer.alloc(10))).toThrow('not an open TlsSession')
  })

  test('says close_notify only once it is open', () => {
    const session = open()
    session.shutdown()
    expect(taken(session)).toHaveLength(0)
  })

  test('refuses what it cannot do', () => {
    expect(() => open('x'.repeat(300))).toThrow('a shorter string was expected')
    // @ts-expect-error: not bytes
    expect(() => open().feed('text')).toThrow('a Uint8Array was expected')
    expect(() => open().close.call({})).toThrow('Illegal invocation')
  })
})

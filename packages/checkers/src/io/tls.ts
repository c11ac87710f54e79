import type { CheckConnection } from '@ipvs-director/config'
import {
  connect as connectTls,
  createSecureContext,
  DEFAULT_CIPHERS,
  type ConnectionOptions,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { OnReadOpts, Socket } from 'node:net'
import type { Attempt } from '../attempt.ts'
import { ProbeFailure } from '../verdict.ts'
import { systemFailure } from './failure.ts'
import { checkCertificate } from './certificate.ts'
import type { CertificateWish, TlsMaterial, TlsWish } from './port.ts'
import { receiveBuffer as shared, ProbeStream } from './stream.ts'
import { targetOf } from './target.ts'

/** Reads a PEM file of the SSL block; throws when it cannot. */
export type ReadMaterial = (path: string) => string | Buffer

/** TLS contexts are expensive, so equal material shares one. */
export interface Contexts {
  of(material: TlsMaterial | undefined, verify: CertificateWish | undefined): SecureContext
  forget(): void
}

export function createContexts(read: ReadMaterial): Contexts {
  const known = new Map<string, SecureContext>()
  /** Where there is neither material nor trust, which is nearly always: naming them costs a hundredth of a probe. */
  let plain: SecureContext | undefined
  return {
    of(material, verify) {
      const trust = verify?.trusted === true ? (verify.ca ?? 'system') : undefined
      if (material === undefined && trust === undefined && plain !== undefined) return plain
      const id = JSON.stringify([material ?? {}, trust])
      const found = known.get(id)
      if (found !== undefined) return found
      const made = createSecureContext({
        ciphers,
        ...authorities(material, verify, read),
        ...(material?.certificate === undefined ? {} : { cert: read(material.certificate) }),
        ...(material?.key === undefined ? {} : { key: read(material.key) }),
        ...(material?.password === undefined ? {} : { passphrase: material.password }),
      })
      known.set(id, made)
      if (material === undefined && trust === undefined) plain = made
      return made
    },
    forget: () => {
      known.clear()
    },
  }
}

const cheapest = 'TLS_AES_128_GCM_SHA256'

/**
 * What Node offers, but the cheapest suite of TLS 1.3 first, which every server has (RFC 8446 §9.1): deriving keys by
 * SHA-384 costs a probe some 4 % more. A server with an order of its own goes by that.
 */
export const ciphers = DEFAULT_CIPHERS.split(':')
  .sort((a, b) => Number(b === cheapest) - Number(a === cheapest))
  .join(':')

/** Where nothing is verified no root certificates: with them OpenSSL would build a chain at every handshake. */
function authorities(
  material: TlsMaterial | undefined,
  verify: CertificateWish | undefined,
  read: ReadMaterial,
): { readonly ca?: string | Buffer | string[] } {
  if (verify?.trusted === true) return verify.ca === undefined ? {} : { ca: read(verify.ca) }
  return { ca: material?.ca === undefined ? [] : read(material.ca) }
}

/** Looks at what the server speaks, and at its certificate, where that is wished; a failure is thrown, a remark answered. */
function checkSession(session: TLSSocket, wish: TlsWish, at: CheckConnection): string | undefined {
  if (wish.protocol !== undefined && session.alpnProtocol !== wish.protocol) {
    throw new ProbeFailure('tls', 'the server does not speak HTTP/2')
  }
  return wish.verify === undefined ? undefined : checkCertificate(session, wish.verify, wish.serverName ?? at.address)
}

/** A TLS session that is being opened, over a connection of its own or over `socket`, which is connected already. */
function openSession(at: CheckConnection, wish: TlsWish, contexts: Contexts, more: SessionMore = {}): TLSSocket {
  const { socket, take } = more
  const options: ConnectionOptions & OwnConnectionOptions = {
    host: at.address,
    port: at.port,
    servername: wish.serverName ?? '',
    // What is to be looked at, certificate.ts looks at.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    // Without it Node answers the server's end by close_notify, whether the standard is to be followed or not.
    allowHalfOpen: true,
    secureContext: contextOf(wish, contexts),
  }
  // Spreading what there may be into it costs more than all else here.
  if (socket !== undefined) options.socket = socket
  if (at.bindAddress !== undefined) options.localAddress = at.bindAddress
  if (at.bindPort !== undefined) options.localPort = at.bindPort
  if (wish.protocol !== undefined) options.ALPNProtocols = [wish.protocol]
  if (take !== undefined) {
    options.onread = { buffer: shared, callback: (length) => take(shared.subarray(0, length)) }
  }
  return connectTls(options)
}

/** What tls.connect takes of net.connect's options, and its type does not say. */
interface OwnConnectionOptions {
  readonly allowHalfOpen: boolean
  onread?: OnReadOpts
  localAddress?: string
  localPort?: number
}

interface SessionMore {
  readonly socket?: Socket | undefined
  /**
   * Takes what arrives, which is only valid during the call, instead of 'data'; false: no more for now. Only for a
   * session over a connection of its own.
   */
  readonly take?: (chunk: Buffer) => boolean
}

/** A TLS session as a connection to read and write. */
export async function connectSecure(
  at: CheckConnection,
  attempt: Attempt,
  wish: TlsWish,
  contexts: Contexts,
  socket?: Socket,
): Promise<ProbeStream> {
  const stream = new ProbeStream(targetOf(at).where, attempt)
  const take = (chunk: Buffer): boolean => stream.arrived(chunk)
  const session = openSession(at, wish, contexts, socket === undefined ? { take } : { socket })
  let connected = socket !== undefined
  let atOnce = false
  process.nextTick(() => {
    atOnce = session.destroyed
  })
  const handshaking = (): void => {
    connected = true
    stream.waitingFor('no end of the TLS handshake with')
    attempt.step()
  }
  if (connected) handshaking()
  else session.on('connect', handshaking)
  session.on('secureConnect', () => {
    try {
      stream.remark = checkSession(session, wish, at)
      stream.opened()
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error
      stream.broke(new ProbeFailure(error.class, `${error.message}: ${stream.where}`, error))
    }
  })
  if (socket !== undefined) session.on('data', take)
  session.on('end', () => {
    stream.ended()
  })
  session.on('error', (error: Error) => {
    stream.broke(sessionFailure(error, stream.where, connected, atOnce))
  })
  return stream.open({
    write: (data) => {
      session.write(data)
    },
    pause: () => {
      session.pause()
    },
    resume: () => {
      session.resume()
    },
    close: () => {
      closeSession(session, wish.compliant && connected)
    },
  })
}

function contextOf(wish: TlsWish, contexts: Contexts): SecureContext {
  try {
    return contexts.of(wish.material, wish.verify)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new ProbeFailure('local', `the SSL block's files cannot be used: ${said}`, error)
  }
}

/** What OpenSSL says has a code of its own (ERR_SSL_…, EPROTO); a reset within the handshake is still a reset. */
export function sessionFailure(error: Error, where: string, connected: boolean, atOnce: boolean): ProbeFailure {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (!connected) return systemFailure(error, where, atOnce)
  if (code === 'ECONNRESET' && error.message.includes('before secure TLS connection')) {
    return new ProbeFailure('tls', `closed within the TLS handshake: ${where}`, error)
  }
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO') {
    return new ProbeFailure('tls', `TLS: ${sslReason(error)}: ${where}`, error)
  }
  return systemFailure(error, where)
}

function sslReason(error: Error): string {
  if ('reason' in error && typeof error.reason === 'string') return error.reason
  return /:([^:]+):[^:]*:\d+:?[^:]*$/.exec(error.message)?.[1] ?? error.message.trim()
}

/** `tls_compliant`: say close_notify, then go; the peer's answer to it is not waited for longer than it takes to write. */
function closeSession(session: TLSSocket, politely: boolean): void {
  if (politely && !session.destroyed) session.end(() => session.destroy())
  else session.destroy()
}

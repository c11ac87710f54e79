import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { ProbeFailure } from '../verdict.ts'
import type { CertificateWish } from './port.ts'

const day = 24 * 3600 * 1000

/**
 * Looks at the certificate of a session whose handshake is done. Throws a {@link ProbeFailure} of class `tls` when it is
 * not as wished; answers what is to be remarked on.
 */
export function checkCertificate(session: TLSSocket, wish: CertificateWish, expected: string): string | undefined {
  const certificate = session.getPeerX509Certificate()
  if (certificate === undefined) throw new ProbeFailure('tls', 'the server has no certificate')
  if (wish.trusted) {
    const untrusted: unknown = session.authorizationError
    if (!session.authorized) throw new ProbeFailure('tls', `certificate: ${wordsOf(untrusted)}`)
    const name = wish.name ?? expected
    const matches = isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)
    if (matches === undefined) throw new ProbeFailure('tls', `certificate: not for ${name}`)
  }
  const left = (Date.parse(certificate.validTo) - Date.now()) / day
  if (wish.failureDays !== undefined && left <= wish.failureDays) {
    throw new ProbeFailure('tls', left <= 0 ? 'certificate: expired' : `certificate: ${ends(left)}`)
  }
  return wish.warningDays !== undefined && left <= wish.warningDays ? `certificate ${ends(left)}` : undefined
}

const ends = (left: number): string => (left <= 0 ? 'expired' : `ends in ${Math.floor(left)} days`)

/** OpenSSL's word for it; Node's type says Error, its value is a text. */
function wordsOf(error: unknown): string {
  if (error instanceof Error) return 'code' in error && typeof error.code === 'string' ? error.code : error.message
  return typeof error === 'string' ? error : 'not trusted'
}

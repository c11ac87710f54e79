import { addonAvailable, newTlsSession, prepareTls, type TlsSession } from './native.ts'

let available: boolean | undefined

/**
 * Whether there can be sessions: Node.js has OpenSSL 3. They speak TLS 1.2 and newer. The first call decides what all of them
 * offer, in the form node:tls has it. That module is imported by who asks: it also tells OpenSSL what Node.js was told.
 */
export function tlsAvailable(ciphers: string): boolean {
  return (available ??= addonAvailable() && prepareTls(...parted(ciphers)))
}

/** OpenSSL has the suites of TLS 1.3 apart from all others. */
function parted(ciphers: string): [suites: string, others: string] {
  const names = ciphers.split(':')
  const isSuite = (name: string): boolean => name.startsWith('TLS_')
  return [names.filter(isSuite).join(':'), names.filter((name) => !isSuite(name)).join(':')]
}

/** A session that has not begun; `serverName` is sent as it is, none where there is none. Only where {@link tlsAvailable}. */
export function openTlsSession(serverName?: string): TlsSession {
  return newTlsSession(serverName)
}

/**
 * keepalived's `http_protocol`: 1.0, 1.0 with `Connection: close`, 1.1 (always with it); and our own 2, which only SSL_GET
 * can speak.
 */
export const httpProtocols = ['1.0', '1.0C', '1.1', '2'] as const
export type HttpProtocol = (typeof httpProtocols)[number]

/** What keepalived calls itself, and servers are configured to leave out of their logs. */
export const userAgent = 'KeepAliveClient'

/** One request, beside the connection it goes over. */
export interface HttpRequest {
  readonly method: string
  /** Sent as it is. */
  readonly path: string
  /** What the Host header says. */
  readonly host: string
  /** Own headers, as `Name: value`. */
  readonly headers: readonly string[]
  readonly body: string | undefined
}

/** A request of HTTP/1: without own method, headers and body exactly as keepalived sends it (check_http.c). */
export function requestText(request: HttpRequest, protocol: HttpProtocol): string {
  const { method, path, host, headers, body } = request
  const lines = [`${method} ${path} HTTP/${protocol === '1.1' ? '1.1' : '1.0'}`, `User-Agent: ${userAgent}`]
  if (protocol !== '1.0') lines.push('Connection: close')
  lines.push(`Host: ${host}`, ...headers)
  if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

/** keepalived's `http_protocol`: 1.0, 1.0 with `Connection: close`, 1.1 (always with it). */
export const httpProtocols = ['1.0', '1.0C', '1.1'] as const
export type HttpProtocol = (typeof httpProtocols)[number]

/** A GET exactly as keepalived sends it (check_http.c); `host` is what the Host header says. */
export function requestText(path: string, protocol: HttpProtocol, host: string): string {
  const version = protocol === '1.1' ? '1.1' : '1.0'
  const close = protocol === '1.0' ? '' : 'Connection: close\r\n'
  return `GET ${path} HTTP/${version}\r\nUser-Agent: KeepAliveClient\r\n${close}Host: ${host}\r\n\r\n`
}

import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is probed, and the port it is at; all of 127.0.0.0/8 answers. */
export const ports = { TCP_CHECK: 8001, HTTP_GET: 8002, SSL_GET: 8003 } as const
export type Kind = keyof typeof ports
export const kinds = Object.keys(ports) as Kind[]

const answer = 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'

/** Servers for every kind, in a process of their own, whose time counts for nobody. */
export function respond(): void {
  const ignore = (socket: Socket): void => {
    socket.on('error', () => undefined)
  }
  const reply = (socket: Socket): void => {
    ignore(socket)
    socket.once('data', () => socket.end(answer))
  }
  const listen = { host: '0.0.0.0', backlog: 4096 }
  createServer({ pauseOnConnect: true }, (socket) => {
    ignore(socket)
    socket.destroy()
  }).listen({ ...listen, port: ports.TCP_CHECK })
  createServer(reply).listen({ ...listen, port: ports.HTTP_GET })
  const secure = createTlsServer(certificate(), reply)
  secure.on('tlsClientError', () => undefined)
  secure.listen({ ...listen, port: ports.SSL_GET }, () => {
    console.log('ready')
  })
}

function certificate(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost']
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, '-days', '2'], { stdio: 'ignore' })
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true })
  return pair
}

/** The so-manieth server; neighbours are not in one /24, as in a large pool. */
export const serverAddress = (n: number): string => `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`

/** A configuration with so many servers, each checked every second. */
export function configOf(kind: Kind, servers: number): string {
  const url = kind === 'TCP_CHECK' ? '' : '      url {\n        path /\n        status_code 200\n      }\n'
  const real = Array.from(
    { length: servers },
    (_, n) => `  real_server ${serverAddress(n)} ${ports[kind]} {
    ${kind} {
      connect_timeout 3
${url}    }
  }
`,
  )
  return `virtual_server 192.0.2.1 80 {
  delay_loop 1
  lb_algo rr
  lb_kind NAT
  protocol TCP
${real.join('')}}
`
}

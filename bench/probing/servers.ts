import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is probed, and the port it is at; all of 127.0.0.0/8 answers. */
export const ports = { TCP_CHECK: 8001, 'half-open': 8001, HTTP_GET: 8002, SSL_GET: 8003 } as const
/** Half-open is a TCP_CHECK of ours; keepalived makes a whole one in its place. */
export type Kind = keyof typeof ports
export const kinds = Object.keys(ports) as Kind[]

const answer = 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'

/**
 * As cheap as servers can be, so that what they cost does not decide what can be probed; in C, where it compiles. One thread a
 * port, which is woken for many connections at once; of HTTP for those whose request is there, answered and closed in one segment.
 */
const cheap = `#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static const char answer[] = "${answer.replaceAll('\r', '\\r').replaceAll('\n', '\\n')}";
static int open_port(int port, int patience) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &patience, sizeof patience);
  if (bind(fd, (void *)&at, sizeof at) < 0 || listen(fd, 4096) < 0) _exit(1);
  return fd;
}
static void *close_all(void *port) {
  for (int fd = *(int *)port;;) close(accept(fd, 0, 0));
}
static void *answer_all(void *port) {
  char request[4096];
  for (int fd = *(int *)port;;) {
    int one = accept(fd, 0, 0);
    if (read(one, request, sizeof request) > 0) send(one, answer, sizeof answer - 1, MSG_MORE);
    close(one);
  }
}
int main(void) {
  int tcp = open_port(${ports.TCP_CHECK}, 0), http = open_port(${ports.HTTP_GET}, 3);
  pthread_t thread;
  signal(SIGPIPE, SIG_IGN);
  pthread_create(&thread, 0, answer_all, &http);
  close_all(&tcp);
}
`

/** Compiles the cheap servers into the folder; undefined where there is no compiler. */
export function buildServers(folder: string): string | undefined {
  const [text, program] = [join(folder, 'servers.c'), join(folder, 'servers')]
  writeFileSync(text, cheap)
  return spawnSync('cc', ['-O2', '-pthread', '-o', program, text]).status === 0 ? program : undefined
}

/** Servers for the kinds given, in a process of their own, whose time counts for nobody. */
export function respond(wanted: readonly string[]): void {
  const ignore = (socket: Socket): void => {
    socket.on('error', () => undefined)
  }
  const reply = (socket: Socket): void => {
    ignore(socket)
    socket.once('data', () => socket.end(answer))
  }
  const listen = { host: '0.0.0.0', backlog: 4096 }
  if (wanted.includes('TCP_CHECK')) {
    createServer({ pauseOnConnect: true }, (socket) => {
      ignore(socket)
      socket.destroy()
    }).listen({ ...listen, port: ports.TCP_CHECK })
  }
  if (wanted.includes('HTTP_GET')) createServer(reply).listen({ ...listen, port: ports.HTTP_GET })
  if (!wanted.includes('SSL_GET')) return
  const secure = createTlsServer(certificate(), reply)
  secure.on('tlsClientError', () => undefined)
  secure.listen({ ...listen, port: ports.SSL_GET }, () => {
    console.log('ready')
  })
}

/** Made anew, with its key, as PEM. */
export function certificate(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost']
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, '-days', '2'], { stdio: 'ignore' })
  const pair = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  rmSync(folder, { recursive: true })
  return pair
}

/** Milliseconds by a clock that all processes of the machine share. */
export const now = (): number => Number(process.hrtime.bigint() / 1000n) / 1000

/** The so-manieth server; neighbours are not in one /24, as in a large pool. */
export const serverAddress = (n: number): string => `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`

const url = '      url {\n        path /\n        status_code 200\n      }\n'
const keywords: Readonly<Record<Kind, string>> = { TCP_CHECK: '', 'half-open': '', HTTP_GET: url, SSL_GET: url }

/** A configuration with so many servers, each checked every second. */
export function configOf(kind: Kind, servers: number, whose: 'ours' | 'keepalived' = 'keepalived'): string {
  const more = kind === 'half-open' && whose === 'ours' ? '      half_open\n' : keywords[kind]
  const real = Array.from(
    { length: servers },
    (_, n) => `  real_server ${serverAddress(n)} ${ports[kind]} {
    ${kind === 'half-open' ? 'TCP_CHECK' : kind} {
      connect_timeout 3
${more}    }
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

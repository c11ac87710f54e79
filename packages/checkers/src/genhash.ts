import {
  formatEndpoint,
  millis,
  parseAddress,
  seconds,
  systemClock,
  type Address,
  type Millis,
} from '@ipvs-director/core'
import { parseArgs } from 'node:util'
import type { CheckConnection } from '@ipvs-director/config'
import { requestText, type HttpProtocol } from './http/request.ts'
import { ReplyReader } from './http/reply.ts'
import { createNodeIo } from './io/node-io.ts'
import type { ProbeIo } from './io/port.ts'
import { RunningAttempt } from './running-attempt.ts'
import { ProbeFailure } from './verdict.ts'

/** Where a command writes. */
export interface Output {
  out(text: string): void
  err(text: string): void
}

const usage = `Usage: genhash -s ADDRESS -p PORT -u PATH [options]

Prints the MD5 of a page's body, for \`digest\` in HTTP_GET and SSL_GET.

  -s, --server ADDRESS          address of the server
  -p, --port PORT               its port
  -u, --url PATH                what to ask for
  -S, --use-ssl                 through TLS
  -I, --use-sni                 send the virtual host as server name (TLS)
  -V, --use-virtualhost HOST    host name for the Host header
  -P, --protocol VERSION        1.0 (default), 1.0c or 1.1
  -m, --fwmark MARK             mark the packets
  -t, --timeout SECONDS         how long each step may take (default 5)
  -v, --verbose                 show header and body too
  -h, --help                    show this
`

const flags = {
  server: { type: 'string', short: 's' },
  port: { type: 'string', short: 'p' },
  url: { type: 'string', short: 'u' },
  'use-ssl': { type: 'boolean', short: 'S', default: false },
  'use-sni': { type: 'boolean', short: 'I', default: false },
  'use-virtualhost': { type: 'string', short: 'V' },
  protocol: { type: 'string', short: 'P', default: '1.0' },
  fwmark: { type: 'string', short: 'm', default: '0' },
  timeout: { type: 'string', short: 't', default: '5' },
  verbose: { type: 'boolean', short: 'v', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

interface Wish {
  readonly at: CheckConnection
  readonly path: string
  readonly host: string | undefined
  readonly tls: boolean
  readonly sni: boolean
  readonly protocol: HttpProtocol
  readonly timeout: Millis
  readonly verbose: boolean
}

/**
 * keepalived's `genhash`, with its flags and its output. Answers the exit code: 0 done, 1 the server did not answer
 * (keepalived's says 0 then), 2 wrong arguments.
 */
export async function genhash(args: readonly string[], output: Output, io: ProbeIo = createNodeIo()): Promise<number> {
  const wish = readArguments(args)
  if (typeof wish === 'string') {
    if (wish === '') output.out(usage)
    else output.err(`genhash: ${wish}\n\n${usage}`)
    return wish === '' ? 0 : 2
  }
  try {
    await fetchAndPrint(wish, output, io)
    return 0
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error
    output.err(`genhash: ${error.message}\n`)
    return 1
  }
}

/** What is wanted; a text says what is wrong, an empty one asks for the usage. */
function readArguments(args: readonly string[]): Wish | string {
  let values
  try {
    values = parseArgs({ args: [...args], options: flags, strict: true }).values
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  if (values.help) return ''
  const address: Address | undefined = parseAddress(values.server ?? '')
  const port = wholeNumber(values.port ?? '', 1, 65_535)
  const fwmark = wholeNumber(values.fwmark, 0, 2 ** 32 - 1)
  const timeout = wholeNumber(values.timeout, 1, 4294)
  const protocol = ({ '1.0': '1.0', '1.0c': '1.0C', '1.1': '1.1' } as const)[values.protocol.toLowerCase()]
  if (values.server === undefined) return 'a server is needed (-s ADDRESS)'
  if (address === undefined) return `"${values.server}" is not an IP address (-s)`
  if (values.port === undefined) return 'a port is needed (-p 1..65535)'
  if (port === undefined) return `"${values.port}" is not a port (-p 1..65535)`
  if (values.url === undefined) return 'a path is needed (-u PATH)'
  if (fwmark === undefined) return 'the mark must be a number (-m)'
  if (timeout === undefined) return 'the timeout must be 1 to 4294 seconds (-t)'
  if (protocol === undefined) return 'the protocol must be 1.0, 1.0c or 1.1 (-P)'
  return {
    at: { address, port, bindAddress: undefined, bindPort: undefined, bindInterface: undefined, fwmark },
    path: values.url,
    host: values['use-virtualhost'],
    tls: values['use-ssl'],
    sni: values['use-sni'],
    protocol,
    timeout: seconds(timeout),
    verbose: values.verbose,
  }
}

async function fetchAndPrint(wish: Wish, output: Output, io: ProbeIo): Promise<void> {
  const attempt = new RunningAttempt(systemClock, wish.timeout, millis(wish.timeout * 4))
  const watch = setInterval(() => {
    if (attempt.due <= systemClock.now()) attempt.end('timeout')
  }, 20)
  const serverName = wish.sni ? wish.host : undefined
  const tls = wish.tls ? { serverName, material: undefined, compliant: false } : undefined
  const host = wish.host ?? formatEndpoint(wish.at)
  const request = { method: 'GET', path: wish.path, host, headers: [], body: undefined }
  const reply = new ReplyReader({ digest: true, search: false })
  const all: Buffer[] = []
  try {
    const connection = await io.connect(wish.at, attempt, tls)
    try {
      connection.write(requestText(request, wish.protocol))
      await connection.read((chunk) => {
        if (wish.verbose) all.push(Buffer.from(chunk))
        reply.take(chunk)
        return false
      })
    } finally {
      connection.close()
    }
  } finally {
    clearInterval(watch)
  }
  if (!reply.complete) throw new ProbeFailure('protocol', `no whole header from ${formatEndpoint(wish.at)}`)
  const digest = reply.digest()
  if (!wish.verbose) output.out(`${digest}\n`)
  else printAll(Buffer.concat(all), digest, attempt.elapsed(), output)
}

function printAll(answer: Buffer, digest: string, took: Millis, output: Output): void {
  const end = answer.indexOf('\r\n\r\n') + 4
  const header = answer.subarray(0, end)
  const body = answer.subarray(end)
  output.out(`Header, ${header.length} bytes:\n${hexDump(header)}\n${header.toString('latin1')}`)
  output.out(`Body, ${body.length} bytes:\n${hexDump(body)}\n`)
  output.out(`MD5 of the body:\n${hexDump(Buffer.from(digest, 'hex'))}\n${digest}\n`)
  output.out(`Response time: ${Math.round(took * 1000)} µs\n`)
}

/** 16 bytes a line, as numbers and as what can be printed of them. */
function hexDump(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 16) {
    const line = bytes.subarray(at, at + 16)
    const hex = Array.from(line, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const shown = line.toString('latin1').replace(/[^\x20-\x7e]/g, '.')
    text += `${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${shown}\n`
  }
  return text
}

function wholeNumber(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  return value >= min && value <= max ? value : undefined
}

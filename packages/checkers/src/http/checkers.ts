import { block, type CheckConnection, type CheckTiming } from '@ipvs-director/config'
import { formatDuration, millis, seconds, type Millis } from '@ipvs-director/core'
import { defineChecker, type Probe } from '../define.ts'
import { requestHttp2 } from '../http2/exchange.ts'
import type { Connection, TlsWish } from '../io/port.ts'
import { targetOf } from '../io/target.ts'
import { fail, failed, pass, type Finding } from '../verdict.ts'
import { httpHealth } from './health.ts'
import { httpFields } from './keywords.ts'
import { completeHttp, type HttpOptions, type HttpUrl } from './options.ts'
import { ReplyReader } from './reply.ts'
import { requestText, type HttpProtocol } from './request.ts'
import { HttpExchange } from './exchange.ts'
import { faultOf, wishesOf } from './judge.ts'

/**
 * keepalived gives every step (connect, TLS handshake, each read) a whole connect_timeout, so a server that drips a byte
 * a second is never done. Here the whole probe has as many of them as a healthy one has steps.
 */
const httpDeadline = ({ timeout }: CheckTiming): Millis => millis(timeout * 3)
const sslDeadline = ({ timeout }: CheckTiming): Millis => millis(timeout * 4)

/** HTTP_GET (keepalived's check_http.c). */
export const httpGet = defineChecker({
  block: block('HTTP_GET', 'Up when every url answers with the right status, digest and text.', httpFields),
  defaults: { retry: 1, delayBeforeRetry: seconds(3) },
  health: httpHealth,
  deadline: httpDeadline,
  course: ({ urls, fastRecovery }: HttpOptions) => ({ parts: urls.length, fast: fastRecovery }),
  opens: exchangeOf,
  complete: completeHttp(false),
  probe,
})

/** SSL_GET: the same through TLS, whose certificate is not verified. */
export const sslGet = defineChecker({
  block: block('SSL_GET', 'Like HTTP_GET, through TLS; the certificate of the server is not verified.', httpFields),
  defaults: { retry: 1, delayBeforeRetry: seconds(3) },
  health: httpHealth,
  deadline: sslDeadline,
  course: ({ urls, fastRecovery }: HttpOptions) => ({ parts: urls.length, fast: fastRecovery }),
  complete: completeHttp(true),
  probe,
})

/** One url without TLS is all known before. */
function exchangeOf({ urls, protocol, tls }: HttpOptions): HttpExchange | undefined {
  const [url, ...others] = urls
  return url === undefined || others.length > 0 || tls !== undefined ? undefined : new HttpExchange(url, protocol)
}

async function probe({ options, part, attempt, io }: Probe<HttpOptions>, at: CheckConnection): Promise<Finding> {
  const url = options.urls[part]
  if (url === undefined) return fail('local', 'there is no url to check')
  const tls = options.tls === undefined ? undefined : tlsOf(options.tls, url, options.protocol)
  let connection: Connection | undefined
  try {
    const reply = new ReplyReader(wishesOf(url))
    const { method, path, headers, body } = url
    const request = { method, path, headers, body, host: url.host ?? targetOf(at).host }
    connection = await io.connect(at, attempt, tls)
    if (options.protocol === '2') await requestHttp2(at, connection, { ...request, scheme: 'https' }, reply)
    else {
      connection.write(requestText(request, options.protocol))
      await connection.read((chunk) => {
        reply.take(chunk)
        return false
      })
    }
    const { remark } = connection
    const where = `from ${targetOf(at).where}${options.urls.length > 1 ? ` for ${url.path}` : ''}`
    const seen = `after ${formatDuration(attempt.elapsed())} ${where}`
    const fault = faultOf(url, reply)
    const finding =
      fault === undefined ? pass(`got ${reply.status} ${seen}`) : fail(fault.class, `${fault.text} ${seen}`)
    return remark === undefined ? finding : { ...finding, reason: `${finding.reason}; ${remark}` }
  } catch (error) {
    return failed(error)
  } finally {
    connection?.close()
  }
}

/** Written out: spreading costs a hundredth of a probe. */
function tlsOf({ material, verify }: NonNullable<HttpOptions['tls']>, url: HttpUrl, protocol: HttpProtocol): TlsWish {
  const wish: { -readonly [K in keyof TlsWish]: TlsWish[K] } = {
    material,
    serverName: url.serverName,
    compliant: url.tlsCompliant,
  }
  if (verify !== undefined) wish.verify = verify
  if (protocol === '2') wish.protocol = 'h2'
  return wish
}

import { block, boolean, connection, dataPath, text, timing, type CheckConnection } from '@ipvs-director/config'
import { DecodeError, formatDuration, millis, seconds } from '@ipvs-director/core'
import { defineChecker, type Probe } from '../define.ts'
import { httpFields } from '../http/keywords.ts'
import { completeTls, idleTls, type HttpOptions } from '../http/options.ts'
import { requestHttp2 } from '../http2/exchange.ts'
import type { Http2Request } from '../http2/sender.ts'
import type { Connection, TlsWish } from '../io/port.ts'
import { targetOf } from '../io/target.ts'
import { fail, failed, pass, type Finding } from '../verdict.ts'
import { GrpcAnswer } from './answer.ts'
import { decodeHealthResponse, encodeHealthRequest, statusName } from './health.ts'

/** GRPC_CHECK as its probe gets it. */
export interface GrpcOptions {
  /** Empty: the server as a whole. */
  readonly service: string
  /** `:authority`; undefined: address and port. */
  readonly host: string | undefined
  /** Undefined: without TLS. */
  readonly tls: HttpOptions['tls']
  readonly serverName: string | undefined
}

const { tlsVerify, tlsCa, tlsName, tlsCertificate, tlsKey, tlsWarningDays, tlsFailureDays } = httpFields
const { enableSni, sniName, virtualhost } = httpFields

/** GRPC_CHECK, of our own: grpc.health.v1.Health/Check answers SERVING (grpc/doc/health-checking.md). */
export const grpcCheck = defineChecker({
  block: block(
    'GRPC_CHECK',
    'Up when the gRPC health service (grpc.health.v1) answers SERVING.',
    {
      service: text('service', {
        extension: true,
        syntax: 'NAME',
        doc: 'Name of the service to ask about; the server as a whole when none is given.',
      }),
      secure: boolean('tls', { extension: true, default: false, doc: 'Through TLS.' }),
      virtualhost,
      enableSni,
      sniName,
      tlsVerify,
      tlsCa,
      tlsName,
      tlsCertificate,
      tlsKey,
      tlsWarningDays,
      tlsFailureDays,
      ...connection,
      ...dataPath,
      ...timing,
    },
    { extension: true },
  ),
  defaults: { retry: 1, delayBeforeRetry: seconds(1) },
  /** Connecting, the TLS handshake, the answer and its end. */
  deadline: ({ timeout }) => millis(timeout * 4),
  complete(written, around) {
    const named = written.virtualhost ?? around.virtualServer.virtualhost
    const wantsName = written.enableSni || written.sniName !== undefined
    if (!written.secure) idleTls(written, around, 'GRPC_CHECK with tls')
    const own = written.sniName === '' ? undefined : written.sniName
    const options: GrpcOptions = {
      service: written.service ?? '',
      host: written.virtualhost ?? around.realServer.virtualhost ?? around.virtualServer.virtualhost,
      tls: written.secure ? completeTls(written, around) : undefined,
      serverName: written.secure && wantsName ? (own ?? named) : undefined,
    }
    return { options }
  },
  async probe({ options, attempt, io }: Probe<GrpcOptions>, at: CheckConnection): Promise<Finding> {
    const { service, host, tls, serverName } = options
    const { where, host: origin } = targetOf(at)
    let connection: Connection | undefined
    try {
      const wish: TlsWish | undefined =
        tls === undefined ? undefined : { ...tls, serverName, compliant: false, protocol: 'h2' }
      const answer = new GrpcAnswer()
      const request: Http2Request = {
        scheme: tls === undefined ? 'http' : 'https',
        method: 'POST',
        path: '/grpc.health.v1.Health/Check',
        host: host ?? origin,
        headers: ['content-type: application/grpc', 'te: trailers'],
        body: encodeHealthRequest(service),
      }
      connection = await io.connect(at, attempt, wish)
      await requestHttp2(at, connection, request, answer)
      const { remark } = connection
      const finding = judge(answer, `after ${formatDuration(attempt.elapsed())} from ${where}`)
      return remark === undefined ? finding : { ...finding, reason: `${finding.reason}; ${remark}` }
    } catch (error) {
      return failed(error)
    } finally {
      connection?.close()
    }
  },
})

function judge(answer: GrpcAnswer, seen: string): Finding {
  const { status } = answer
  if (status !== 200) return fail('mismatch', `got HTTP ${status}, wanted 200 ${seen}`)
  const grpcStatus = answer.header('grpc-status')
  if (grpcStatus === undefined) return fail('protocol', `an answer without grpc-status ${seen}`)
  if (grpcStatus !== '0') {
    const said = answer.header('grpc-message')
    const words = said === undefined ? '' : ` (${said.slice(0, 100)})`
    return fail('mismatch', `got grpc-status ${statusName(grpcStatus)}${words} ${seen}`)
  }
  try {
    const serving = decodeHealthResponse(answer.body())
    return serving === 'SERVING' ? pass(`SERVING ${seen}`) : fail('mismatch', `got ${serving}, wanted SERVING ${seen}`)
  } catch (error) {
    if (error instanceof DecodeError) return fail('protocol', `${error.message} ${seen}`)
    throw error
  }
}

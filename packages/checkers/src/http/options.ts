import type { OwnOptions, Reports, Surroundings } from '@ipvs-director/config'
import type { CertificateWish, TlsMaterial } from '../io/port.ts'
import { patternProblems } from '../pattern/match.ts'
import type { Pattern } from '../pattern/options.ts'
import { completeExpectations, type HttpExpectations } from './expectations.ts'
import type { httpFields } from './keywords.ts'
import type { HttpProtocol } from './request.ts'
import { defaultStatus, type StatusRange } from './status.ts'

/** HTTP_GET and SSL_GET as their probe gets them. */
export interface HttpOptions {
  readonly urls: readonly HttpUrl[]
  readonly protocol: HttpProtocol
  readonly fastRecovery: boolean
  /** Undefined: plain HTTP. */
  readonly tls: { readonly material: TlsMaterial | undefined; readonly verify?: CertificateWish } | undefined
}

export interface HttpUrl extends HttpExpectations {
  readonly path: string
  readonly method: string
  /** Own headers, as `Name: value`. */
  readonly headers: readonly string[]
  readonly body: string | undefined
  /** Host header; undefined: address and port of the connection. */
  readonly host: string | undefined
  readonly status: readonly StatusRange[]
  /** 32 hexadecimal digits, lower case. */
  readonly digest: string | undefined
  readonly regex:
    (Pattern & { readonly noMatch: boolean; readonly min: number; readonly max: number | undefined }) | undefined
  readonly serverName: string | undefined
  readonly tlsCompliant: boolean
}

type Written = OwnOptions<typeof httpFields>
type WrittenUrl = Written['urls'][number]

/** Who a request is for, and what TLS is told: from url, checker, real server and virtual server. */
export function completeHttp(secure: boolean) {
  return (written: Written, around: Surroundings): { readonly options: HttpOptions } => {
    if (written.urls.length === 0) around.error('there is no url to check', 'url')
    if (!secure) idleTls(written, around, 'SSL_GET')
    if (written.protocol === '2' && !secure) around.error('HTTP/2 is spoken through TLS: use SSL_GET', 'http_protocol')
    return {
      options: {
        urls: written.urls.map((url, i) => completeUrl(url, written, around, around.inside('urls', i), secure)),
        protocol: written.protocol,
        fastRecovery: written.fastRecovery,
        tls: secure ? completeTls(written, around) : undefined,
      },
    }
  }
}

/** `reports`: on the url's own block. */
function completeUrl(
  url: WrittenUrl,
  written: Written,
  around: Surroundings,
  reports: Reports,
  secure: boolean,
): HttpUrl {
  const { realServer, virtualServer } = around
  const host = url.virtualhost ?? written.virtualhost ?? realServer.virtualhost ?? virtualServer.virtualhost
  // keepalived asks the real server's virtualhost for the Host header only, not for SNI.
  const named = url.virtualhost ?? written.virtualhost ?? virtualServer.virtualhost
  const wantsName = written.enableSni || written.sniName !== undefined
  const own = written.sniName === '' ? undefined : written.sniName
  return {
    path: url.path ?? '/',
    method: url.method ?? 'GET',
    headers: url.headers ?? [],
    body: url.body,
    host,
    status: url.status ?? defaultStatus,
    digest: url.digest?.toLowerCase(),
    regex: regexOf(url, reports),
    serverName: secure && wantsName ? (own ?? named) : undefined,
    ...completeExpectations(url, reports),
    tlsCompliant: secure && (url.tlsCompliant ?? written.tlsCompliant ?? false),
  }
}

/** The keywords of TLS that every checker through it has. */
type WrittenTls = Pick<
  Written,
  'tlsVerify' | 'tlsCa' | 'tlsName' | 'tlsFailureDays' | 'tlsWarningDays' | 'tlsCertificate' | 'tlsKey'
>

/** Says which of our own words about TLS mean nothing without it; keepalived's are taken without a word, as there. */
export function idleTls(written: WrittenTls, around: Surroundings, where: string): void {
  const words = {
    tls_verify: written.tlsVerify || undefined,
    tls_ca: written.tlsCa,
    tls_name: written.tlsName,
    tls_certificate: written.tlsCertificate,
    tls_key: written.tlsKey,
    tls_expiry_warning: written.tlsWarningDays,
    tls_expiry_failure: written.tlsFailureDays,
  }
  for (const [word, given] of Object.entries(words))
    if (given !== undefined) around.warning(`${word} means nothing here: it is for ${where}`, word)
}

/** Our own certificate, and what that of the server must be. */
export function completeTls(written: WrittenTls, around: Surroundings): HttpOptions['tls'] {
  return { material: materialOf(written, around), ...verifyOf(written, around) }
}

function verifyOf(written: WrittenTls, around: Surroundings): { readonly verify?: CertificateWish } {
  const { tlsVerify: trusted, tlsCa: ca, tlsName: name, tlsFailureDays, tlsWarningDays } = written
  if (!trusted && (ca !== undefined || name !== undefined)) {
    around.warning('tls_ca and tls_name count only with tls_verify', ca === undefined ? 'tls_name' : 'tls_ca')
  }
  if (!trusted && tlsFailureDays === undefined && tlsWarningDays === undefined) return {}
  return {
    verify: {
      trusted,
      ...(ca === undefined ? {} : { ca }),
      ...(name === undefined ? {} : { name }),
      ...(tlsFailureDays === undefined ? {} : { failureDays: tlsFailureDays }),
      ...(tlsWarningDays === undefined ? {} : { warningDays: tlsWarningDays }),
    },
  }
}

/** Plain data of its own: what the reader hands over also remembers where it was written. */
function materialOf({ tlsCertificate, tlsKey }: WrittenTls, around: Surroundings): TlsMaterial | undefined {
  const { ssl } = around
  if (tlsCertificate === undefined && tlsKey !== undefined) around.error('tls_key needs a tls_certificate', 'tls_key')
  if (ssl === undefined && tlsCertificate === undefined) return undefined
  const { password, ca } = ssl ?? {}
  const certificate = tlsCertificate ?? ssl?.certificate
  const key = tlsCertificate === undefined ? ssl?.key : (tlsKey ?? tlsCertificate)
  return {
    ...(password === undefined ? {} : { password }),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  }
}

function regexOf(url: WrittenUrl, reports: Reports): HttpUrl['regex'] {
  if (url.regex === undefined) {
    for (const word of idleWithoutRegex(url)) reports.warning(`${word} has no effect without regex`, word)
    return undefined
  }
  const { regexMinOffset: min = 0, regexMaxOffset: max } = url
  if (max !== undefined && min > max)
    reports.error(`regex_min_offset ${min} is above regex_max_offset ${max}`, 'regex_min_offset')
  const pattern = { source: url.regex, options: url.regexOptions ?? [] }
  const { error, warnings } = patternProblems(pattern)
  if (error !== undefined) reports.error(`regex "${url.regex}": ${error}`, 'regex')
  for (const warning of warnings) reports.warning(`regex "${url.regex}": ${warning}`, 'regex')
  if (error !== undefined) return undefined
  return { ...pattern, noMatch: url.regexNoMatch, min, max }
}

/** Words about a regex that there is not. */
const idleWithoutRegex = (url: WrittenUrl): readonly string[] => [
  ...(url.regexNoMatch ? ['regex_no_match'] : []),
  ...(url.regexOptions === undefined ? [] : ['regex_options']),
  ...(url.regexMinOffset === undefined ? [] : ['regex_min_offset']),
  ...(url.regexMaxOffset === undefined ? [] : ['regex_max_offset']),
]

/** The files that a check's TLS needs, whatever kind of check it is. */
export function materialPaths(options: Readonly<Record<string, unknown>>): string[] {
  const { tls } = options as { readonly tls?: { readonly material?: TlsMaterial; readonly verify?: CertificateWish } }
  const { ca, certificate, key } = tls?.material ?? {}
  return [ca, certificate, key, tls?.verify?.ca].filter((path) => path !== undefined)
}

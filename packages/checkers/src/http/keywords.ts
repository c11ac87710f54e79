import {
  blocks,
  boolean,
  connection,
  dataPath,
  flag,
  integer,
  oneOf,
  quoted,
  text,
  timing,
} from '@ipvs-director/config'
import { value, words, wordsKind } from '@ipvs-director/config'
import { expectationFields } from './expectations.ts'
import { httpProtocols } from './request.ts'
import { headerKind } from './header.ts'
import { statusKind } from './status.ts'

const tlsCompliant = boolean('tls_compliant', {
  since: '2.2.8',
  doc: 'SSL_GET: end the TLS session by close_notify before closing; without it the connection is just closed.',
})

const url = {
  path: text('path', { required: true, syntax: 'PATH', doc: 'What is asked for; sent as it is written.' }),
  digest: text('digest', {
    pattern: /^[0-9a-fA-F]{32}$/,
    what: 'an MD5 of 32 hexadecimal digits',
    syntax: 'MD5',
    doc: 'MD5 that the body must have, as `genhash` prints it.',
  }),
  status: value('status_code', statusKind, {
    repeated: 'all',
    doc: 'Status codes and ranges of them that are right; 200-299 when none is given.',
  }),
  virtualhost: text('virtualhost', { syntax: 'NAME', doc: 'Host header (and, where wanted, SNI) of this request.' }),
  regex: quoted('regex', { since: '2.0.4', doc: 'What the body must match (PCRE2).' }),
  regexNoMatch: flag('regex_no_match', { since: '2.0.4', doc: 'The body must not match the regex.' }),
  regexOptions: words('regex_options', {
    since: '2.0.4',
    repeated: 'all',
    what: 'an option of PCRE2',
    doc: 'PCRE2 options by name: caseless, multiline, dotall, utf, …',
  }),
  regexMinOffset: integer('regex_min_offset', {
    since: '2.0.4',
    min: 0,
    max: 2 ** 31 - 1,
    doc: 'First byte of the body at which the match may start.',
  }),
  regexMaxOffset: integer('regex_max_offset', {
    since: '2.0.4',
    min: 0,
    max: 2 ** 31 - 1,
    doc: 'Last byte of the body at which the match may start.',
  }),
  regexStack: value('regex_stack', wordsKind({ min: 2, max: 2, what: 'START MAX' }), {
    since: '2.0.4',
    doc: "Size of PCRE2's stack; accepted, without effect here.",
  }),
  tlsCompliant,
  method: text('method', {
    extension: true,
    pattern: /^[A-Z][A-Z-]{0,31}$/,
    what: 'an HTTP method in capitals',
    syntax: 'METHOD',
    doc: 'Method of the request, GET when none is given.',
  }),
  headers: value('header', headerKind, {
    extension: true,
    repeated: 'all',
    doc: 'A header of the request, in quotes: `"Name: value"`; may be given several times.',
  }),
  ...expectationFields,
  body: quoted('body', { extension: true, doc: 'Body of the request; Content-Length is added.' }),
} as const

/** The keywords of HTTP_GET and SSL_GET. */
export const httpFields = {
  ...connection,
  ...dataPath,
  ...timing,
  retry: { ...timing.retry, aliases: ['nb_get_retry'], oldNames: ['nb_get_retry'] },
  urls: blocks('url', 'One request; a checker may have several, and needs all of them.', url),
  virtualhost: text('virtualhost', {
    inherits: 'real_server, virtual_server',
    syntax: 'NAME',
    doc: 'Host header of the requests; address and port when none is given.',
  }),
  protocol: oneOf('http_protocol', httpProtocols, {
    since: '2.0.17',
    ignoreCase: true,
    default: '1.0',
    doc: 'HTTP version; 1.0C and 1.1 also send `Connection: close`. 2 is our own and needs SSL_GET.',
  }),
  enableSni: boolean('enable_sni', {
    since: '1.4.3',
    default: false,
    doc: 'SSL_GET: send the virtualhost of url, checker or virtual_server as server name (SNI).',
  }),
  sniName: text('sni_name', {
    bare: '',
    syntax: '[NAME]',
    doc: 'SSL_GET: send this server name (SNI); without a name like enable_sni.',
  }),
  fastRecovery: boolean('fast_recovery', {
    since: '2.0.17',
    default: false,
    doc: 'While not up, check the next url at once instead of after delay_loop.',
  }),
  tlsCompliant,
  tlsVerify: boolean('tls_verify', {
    extension: true,
    default: false,
    doc: 'SSL_GET: the certificate must be of a trusted authority, and for the right name.',
  }),
  tlsCa: text('tls_ca', {
    extension: true,
    syntax: 'FILE',
    doc: 'PEM file of the authorities that tls_verify trusts; the well-known ones when none is given.',
  }),
  tlsName: text('tls_name', {
    extension: true,
    syntax: 'NAME',
    doc: 'Name or address that tls_verify wants in the certificate; the server name sent, else the address.',
  }),
  tlsCertificate: text('tls_certificate', {
    extension: true,
    inherits: 'SSL',
    syntax: 'FILE',
    doc: 'SSL_GET: PEM file of our own certificate, in place of that of the SSL block.',
  }),
  tlsKey: text('tls_key', {
    extension: true,
    inherits: 'SSL',
    syntax: 'FILE',
    doc: 'SSL_GET: PEM file of the key to tls_certificate; that file itself when none is given.',
  }),
  tlsWarningDays: integer('tls_expiry_warning', {
    extension: true,
    min: 0,
    max: 36_500,
    doc: 'SSL_GET: with so few days left the certificate is remarked on in the reason.',
  }),
  tlsFailureDays: integer('tls_expiry_failure', {
    extension: true,
    min: 0,
    max: 36_500,
    doc: 'SSL_GET: with so few days left the check fails; 0: when it has expired.',
  }),
} as const

import { seconds } from '@ipvs-director/core'
import type { CheckerBlock } from '../checker-block.ts'
import { block, blocks, boolean, command, flag, integer, oneOf, quoted, text, words } from '../declare.ts'
import { connection, dataPath, timing } from '../grammar/timing.ts'

const common = { ...connection, ...dataPath, ...timing }
const defaults = { retry: 1, delayBeforeRetry: seconds(1) }

const url = blocks('url', 'A page to ask for.', {
  path: text('path', { required: true, doc: 'Path.' }),
  digest: text('digest', { doc: 'MD5 of the body.' }),
  statusCode: words('status_code', { repeated: 'all', doc: 'Codes that are right.' }),
  regex: quoted('regex', { doc: 'Pattern in the body.' }),
})

const http = {
  ...common,
  urls: url,
  nbGetRetry: integer('nb_get_retry', { deprecated: 'use retry', doc: 'Old name of retry.' }),
  virtualhost: text('virtualhost', { doc: 'Host header.' }),
  protocol: oneOf('http_protocol', ['1.0', '1.0C', '1.1'], { default: '1.0', doc: 'Version.' }),
  enableSni: boolean('enable_sni', { default: false, doc: 'Send SNI.' }),
}

/** Checkers as this package's tests need them; the real ones are in packages/checkers, which this one must not import. */
export const testCheckers: readonly CheckerBlock[] = [
  { keyword: 'TCP_CHECK', block: block('TCP_CHECK', 'Connects.', common), connection: true, defaults },
  {
    keyword: 'HTTP_GET',
    block: block('HTTP_GET', 'Asks for pages.', http),
    connection: true,
    defaults: { retry: 1, delayBeforeRetry: seconds(3) },
    complete: (options, around) => {
      if ((options as { urls?: readonly unknown[] }).urls?.length === 0) around.error('HTTP_GET needs a url')
      return { options }
    },
  },
  {
    keyword: 'SSL_GET',
    block: block('SSL_GET', 'Asks for pages over TLS.', http),
    connection: true,
    defaults: { retry: 1, delayBeforeRetry: seconds(3) },
  },
  {
    keyword: 'MISC_CHECK',
    block: block('MISC_CHECK', 'Runs a script.', {
      ...timing,
      path: command('misc_path', { required: true, doc: 'Command.' }),
      timeout: integer('misc_timeout', { min: 1, doc: 'Seconds.' }),
      dynamic: flag('misc_dynamic', { doc: 'Exit code is a weight.' }),
    }),
    connection: false,
    defaults: { retry: 0, delayBeforeRetry: seconds(1) },
  },
]

import { block, type Block, blocks, boolean, integer, oneOf, text, value } from '../declare.ts'
import { integerKind, textKind } from '../kinds.ts'
import { first, mark, phraseKind } from '../phrase.ts'
import { nameKind } from './shared.ts'
import { connection, timing } from './timing.ts'

const common = { ...connection, ...timing }
const pending = { pending: true } as const
const hex = textKind({ what: 'hexadecimal digits', syntax: 'HEX' })

/**
 * Checkers keepalived has, as long as packages/checkers does not declare them itself: their blocks are read and checked,
 * and using one is an error, because a server without its check would count as always up.
 */
export const otherCheckers: readonly Block[] = [
  block(
    'SMTP_CHECK',
    'Up when a mail server greets and takes a HELO.',
    {
      ...common,
      heloName: text('helo_name', { doc: 'Name to greet with.' }),
      hosts: blocks('host', 'Another address of the server to check.', connection, {
        deprecated: 'use several SMTP_CHECKs',
      }),
    },
    pending,
  ),
  block(
    'DNS_CHECK',
    'Up when a DNS server answers a question.',
    {
      ...common,
      type: oneOf('type', ['A', 'NS', 'CNAME', 'SOA', 'MX', 'TXT', 'AAAA', 'RRSIG', 'DNSKEY'], {
        ignoreCase: true,
        default: 'SOA',
        doc: 'Type of the question.',
      }),
      name: text('name', { doc: 'Name to ask for; the root when not given.' }),
    },
    pending,
  ),
  block(
    'UDP_CHECK',
    'Up unless a UDP datagram is refused; or when an answer comes.',
    {
      ...common,
      payload: value('payload', hex, { doc: 'What to send.' }),
      requireReply: value('require_reply', hex, {
        bare: '',
        doc: 'An answer must come, and begin so; x stands for any digit.',
      }),
      minReplyLength: integer('min_reply_length', {
        min: 0,
        max: 65535,
        default: 0,
        doc: 'Shortest answer that is right.',
      }),
      maxReplyLength: integer('max_reply_length', {
        min: 0,
        max: 65535,
        default: 255,
        doc: 'Longest answer that is right.',
      }),
    },
    { ...pending, since: '2.1.0' },
  ),
  block('PING_CHECK', 'Up when an ICMP echo is answered.', common, { ...pending, since: '2.1.0' }),
  block(
    'FILE_CHECK',
    'Up, down or of another weight as a file says.',
    {
      trackFile: text('track_file', { required: true, doc: 'Name of the track_file.' }),
      weight: value(
        'weight',
        phraseKind(
          { value: first(integerKind({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 })), reverse: mark('reverse') },
          'N [reverse]',
        ),
        { doc: 'Multiplies the value of the file.' },
      ),
    },
    { ...pending, since: '2.1.0' },
  ),
  block(
    'BFD_CHECK',
    'Up while a BFD session is.',
    {
      name: value('name', nameKind, { required: true, doc: 'Name of the bfd_instance.' }),
      alpha: boolean('alpha', { doc: 'Counts as down until the session is up.' }),
    },
    { ...pending, since: '2.0.0' },
  ),
]

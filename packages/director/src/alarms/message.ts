import type { Letter } from './words.ts'

/** What a mail is made of. */
export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  /** `router_id`, or the host's name. */
  readonly router: string
  readonly letters: readonly Letter[]
  /** Alarms that were dropped since the last mail, for want of room. */
  readonly dropped: number
  /** Makes the Message-ID one of a kind. */
  readonly id: string
}

/** Letters described one by one in a mail of several. */
const describedAtMost = 200

/**
 * The mail as it goes over the wire (RFC 5322), headers in keepalived's order: Date, From, Subject, X-Mailer, To. One
 * letter has keepalived's subject; several become one mail that lists them.
 */
export function composeMail({ from, to, router, letters, dropped, id }: Mail): string {
  const [only] = letters
  const subject =
    letters.length === 1 && only !== undefined ? only.subject : `${letters.length} changes: ${tally(letters)}`
  const body = letters.length === 1 && only !== undefined ? only.body : digest(letters)
  const lost = dropped === 0 ? '' : `\n\n${dropped} earlier changes could not be mailed and are only in the log.`
  const headers = [
    `Date: ${mailDate(new Date(letters.at(-1)?.at ?? 0))}`,
    `From: ${oneLine(from)}`,
    `Subject: ${encoded(oneLine(`[${router}] ${subject}`))}`,
    'X-Mailer: ipvs-director',
    `To: ${to.map(oneLine).join(', ')}`,
    `Message-ID: <${id}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    'Auto-Submitted: auto-generated',
  ]
  return `${headers.join('\r\n')}\r\n\r\n${lines(`${body}${lost}`)}`
}

/** `5 UP, 30 DOWN, 1 other`. */
function tally(letters: readonly Letter[]): string {
  const ends = (word: string): number => letters.filter(({ subject }) => subject.endsWith(` - ${word}`)).length
  const [up, down] = [ends('UP'), ends('DOWN')]
  const other = letters.length - up - down
  const parts = [
    [down, 'DOWN'],
    [up, 'UP'],
    [other, 'other'],
  ] as const
  return parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(', ')
}

function digest(letters: readonly Letter[]): string {
  const told = letters.slice(0, describedAtMost).map(({ at, subject, body }) => {
    const [first = '', ...rest] = body.split('\n').filter((line) => line !== '')
    return `${new Date(at).toISOString()} ${subject}\n    ${[first, ...rest].join('\n    ')}`
  })
  const more = letters.length - told.length
  return [...told, ...(more === 0 ? [] : [`and ${more} more`])].join('\n')
}

/** RFC 5322 §3.3, in UTC. */
const mailDate = (at: Date): string => at.toUTCString().replace('GMT', '+0000')

/** No value may begin another header. */
const oneLine = (text: string): string => text.replace(/[\x00-\x1f\x7f]+/g, ' ')

/** RFC 2047 where there is anything but ASCII, in words of at most 75 characters. */
function encoded(text: string): string {
  if (/^[ -~]*$/.test(text)) return text
  const words: string[] = []
  let part = ''
  for (const char of text) {
    if (Buffer.byteLength(part + char) > 45) {
      words.push(part)
      part = ''
    }
    part += char
  }
  return [...words, part].map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ')
}

/** CRLF, and no line above RFC 5322's 998 bytes. */
const lines = (text: string): string =>
  text
    .split(/\r?\n/)
    .map((line) => (Buffer.byteLength(line) > 900 ? `${line.slice(0, 220)} …` : line))
    .join('\r\n') + '\r\n'

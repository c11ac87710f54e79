import { isUtf8 } from 'node:buffer'
import type { Place } from './place.ts'
import type { Remarks } from './diagnostics.ts'

/** A file as it was read. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** Bytes as text: UTF-8 where they are, else one character for each byte. A byte order mark is left out. */
export function decode(file: string, bytes: Uint8Array, remarks: Remarks): Source {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const at = (column: number): Place => ({ file, line: 1, column })
  if (
    buffer.length >= 2 &&
    ((buffer[0] === 0xff && buffer[1] === 0xfe) || (buffer[0] === 0xfe && buffer[1] === 0xff))
  ) {
    remarks.add('E006', at(1), 'the file is UTF-16; save it as UTF-8 or ASCII')
    return { file, text: '' }
  }
  if (!isUtf8(buffer)) {
    remarks.add('N003', at(1), 'the file is not UTF-8; its bytes above 127 are read one by one')
    return { file, text: buffer.toString('latin1') }
  }
  const text = buffer.toString('utf8')
  if (!text.startsWith('\ufeff')) return { file, text }
  remarks.add('N002', at(1), 'the file begins with a byte order mark, which keepalived takes as part of the first word')
  return { file, text: text.slice(1) }
}

/** Gives the lines of a file (from 1) without their line ends; undefined when there is no such line. */
export function linesOf(source: Source): (line: number) => string | undefined {
  const { text } = source
  const starts = [0]
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1)
  return (line) => {
    const start = starts[line - 1]
    if (start === undefined) return undefined
    const next = starts[line]
    return text.slice(start, next === undefined ? undefined : next - 1).replace(/\r+$/, '')
  }
}

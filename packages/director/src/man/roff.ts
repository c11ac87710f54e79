/** Manual pages in the man(7) macros, from plain text. */

/** Text as it stands: nothing in it is a request or an escape. */
export function plain(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/…/g, '...')
    .replace(
      /[^\x20-\x7e\n]/gu,
      (sign) => `\\[u${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/`/g, '')
    .split('\n')
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join('\n')
}

/** In a macro's argument. */
const quoted = (text: string): string => `"${plain(text).replaceAll('"', '\\(dq')}"`

export interface Heading {
  readonly name: string
  readonly section: 5 | 8
  readonly version: string
}

export const title = ({ name, section, version }: Heading): string =>
  `.TH ${quoted(name)} ${section} "" ${quoted(`ipvs-director ${version}`)}\n`
export const section = (name: string): string => `.SH ${quoted(name.toUpperCase())}\n`
export const subsection = (name: string): string => `.SS ${quoted(name)}\n`
export const paragraph = (text: string): string => `.PP\n${plain(text)}\n`
/** A name in bold, its text indented below. */
export const item = (name: string, text: string): string => `.TP\n.B ${quoted(name)}\n${plain(text)}\n`
/** Lines as they are. */
export const verbatim = (lines: readonly string[]): string =>
  `.PP\n.RS\n.nf\n${lines.map((line) => `${plain(line)}\n`).join('')}.fi\n.RE\n`

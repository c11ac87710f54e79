import type { Block } from './declare.ts'
import type { Diagnostic, Remarks } from './diagnostics.ts'
import type { Includes } from './include.ts'
import { secretKeywords } from './secrets.ts'
import { linesOf } from './source.ts'

/** Diagnostics in the order of the text, file by file, with the line each is about. */
export function withExcerpts(grammar: Block, remarks: Remarks, includes: Includes): readonly Diagnostic[] {
  if (remarks.all.length === 0) return []
  const hide = secretsHidden(grammar)
  const sources = [...includes.read.values()]
  const order = new Map(sources.map((source, i) => [source.file, i]))
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const lines = new Map<string, (line: number) => string | undefined>()
  const sorted = remarks.all.toSorted(
    (a, b) =>
      (order.get(a.place.file) ?? 0) - (order.get(b.place.file) ?? 0) ||
      a.place.line - b.place.line ||
      a.place.column - b.place.column,
  )
  return sorted.map((each) => {
    const { file, line } = each.place
    let lineAt = lines.get(file)
    if (lineAt === undefined) {
      const source = byFile.get(file)
      lines.set(file, (lineAt = source === undefined ? () => undefined : linesOf(source)))
    }
    const excerpt = lineAt(line)
    return excerpt === undefined ? each : { ...each, excerpt: hide(excerpt) }
  })
}

/** A line with a `*` for each character of a secret, so that the places in it stay: remarks go to logs. */
export function secretsHidden(grammar: Block): (line: string) => string {
  const names = [...secretKeywords(grammar)].join('|')
  // In JSON the parts of a value may be on lines of their own.
  const pattern = `(?<=(?:^|[\\s{"])(?:${names})(?:"\\s*:\\s*|\\s+)"?)[^\\s"[][^"]*|(?<="(?:value|url)"\\s*:\\s*")[^"]*`
  const secrets = new RegExp(pattern, 'g')
  return (line) => line.replace(secrets, (secret) => '*'.repeat(secret.length))
}

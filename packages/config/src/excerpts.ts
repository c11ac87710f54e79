import type { Diagnostic, Remarks } from './diagnostics.ts'
import type { Includes } from './include.ts'
import { linesOf } from './source.ts'

/** Diagnostics in the order of the text, file by file, with the line each is about. */
export function withExcerpts(remarks: Remarks, includes: Includes): readonly Diagnostic[] {
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
    return excerpt === undefined ? each : { ...each, excerpt: withoutSecrets(excerpt) }
  })
}

/** Keywords (in JSON, too) after which a secret stands. */
const secrets = /(?<=(?:^|[\s{"])(?:auth_pass|password|key)(?:"\s*:\s*|\s+)"?)[^\s"[][^"]*|(?<="value"\s*:\s*")[^"]*/g

/** The line with a `*` for each character of a secret, so that the places in it stay: remarks go to logs. */
export const withoutSecrets = (line: string): string => line.replace(secrets, (secret) => '*'.repeat(secret.length))

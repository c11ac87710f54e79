import type { Statement } from './statement.ts'

/** Statements as keepalived.conf; `indent` blanks for each level. */
export function printStatements(statements: readonly Statement[], indent = 4): string {
  const lines: string[] = []
  const visit = (statement: Statement, depth: number): void => {
    const pad = ' '.repeat(depth * indent)
    const escaped = isEscaped(statement)
    const words = [quoteWord(statement.keyword, false), ...statement.args.map((word) => quoteWord(word, escaped))]
    if (statement.body === undefined) {
      lines.push(`${pad}${words.join(' ')}`)
      return
    }
    lines.push(`${pad}${words.join(' ')} {`)
    for (const child of statement.body) visit(child, depth + 1)
    lines.push(`${pad}}`)
  }
  for (const [i, statement] of statements.entries()) {
    if (i > 0 && (statement.body !== undefined || statements[i - 1]?.body !== undefined)) lines.push('')
    visit(statement, 0)
  }
  return lines.map((line) => `${line}\n`).join('')
}

/** Whether the words are read again with escapes (scripts). */
const isEscaped = ({ field }: Statement): boolean =>
  field?.form === 'value' && (field.kind as { escaped?: boolean }).escaped === true

/** A word as it must be written to be read as itself. A `"` can only be in an escaped word. */
export function quoteWord(word: string, escaped: boolean): string {
  if (escaped) {
    const plain = /^[\w./:@%+,=-]+$/.test(word) && !word.startsWith('//') && !/^-{3}/.test(word)

    const hex = (char: string): string => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
    return plain ? word : `"${word.replace(/\\/g, '\\\\').replace(/["\x00-\x1f\x7f]|\$(?=[A-Za-z_{])/g, hex)}"`
  }
  const plain =
    word !== '' && !/[\s"{}#!\\\u00a0\u2000-\u200f\u202f\u3000\ufeff]/.test(word) && !/^(?:\/\/|-{3}|[@~$])/.test(word)
  return plain ? word : `"${word}"`
}

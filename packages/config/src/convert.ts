import { type Diagnostic, Remarks } from './diagnostics.ts'
import { withExcerpts } from './excerpts.ts'
import { grammarWith } from './grammar/root.ts'
import { parseJson } from './json-text.ts'
import type { Json } from './kind.ts'
import type { LoadOptions } from './load.ts'
import { statementsFromJson } from './load-json.ts'
import { parseWhole } from './parse.ts'
import { printStatements } from './print.ts'
import { Reader } from './read.ts'
import { withoutSecretValues } from './secrets.ts'
import { blockToJson, statementsOf } from './spelling.ts'
import type { Statement } from './statement.ts'
import { vocabularyOf } from './unknown.ts'

export interface Converted {
  /**
   * What the text says, before inheritance and rules, in the JSON spelling: definitions, sequences and includes are
   * resolved, and what equals its default is left out. What has an error in it is missing.
   */
  readonly json: Json
  /** The same as a minimal keepalived.conf. */
  readonly conf: string
  /** Of reading alone; rules across keywords are {@link LoadResult}'s. */
  readonly diagnostics: readonly Diagnostic[]
}

export interface ConvertOptions extends LoadOptions {
  /** `***` stands for every secret: the result is for looking at. */
  readonly withoutSecrets?: boolean
}

/** Either spelling of a configuration as both. */
export async function convertConfig(file: string, options: ConvertOptions): Promise<Converted> {
  const remarks = new Remarks()
  const grammar = grammarWith(options.checkers)
  const parsed = parseWhole(file, grammar, options, remarks)
  const body = parsed.json === undefined ? parsed.statements : await statementsFromJson(parsed.json, grammar, remarks)
  const source = { file: '', text: '' }
  const root: Statement = {
    keyword: '',
    args: [],
    source,
    line: 1,
    offset: 0,
    end: 0,
    written: undefined,
    field: undefined,
    body,
  }
  const whole = blockToJson(grammar, new Reader(remarks, vocabularyOf(grammar)).block(grammar, root))
  const json = options.withoutSecrets === true ? withoutSecretValues(grammar, whole) : whole
  const text = JSON.stringify(json)
  const conf = printStatements(statementsOf(grammar, parseJson(text), { file: '', text }))
  return { json, conf, diagnostics: withExcerpts(grammar, remarks, parsed.includes) }
}

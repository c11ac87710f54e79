import { hostname } from 'node:os'
import type { CheckerBlock, Surroundings } from './checker-block.ts'
import type { Config, VirtualServer } from './config.ts'
import { type Diagnostic, Remarks } from './diagnostics.ts'
import type { Block, Fields } from './declare.ts'
import { resolveGlobals } from './globals.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'
import { grammarWith } from './grammar/root.ts'
import type { VirtualServerGroupText, VirtualServerText } from './grammar/virtual-server.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from './grammar/vrrp.ts'
import { vrrpRules } from './rules-vrrp.ts'
import { remarkOnNames } from './references.ts'
import { Includes } from './include.ts'
import { resolveVirtualServer } from './inherit.ts'
import { Lexer } from './lexer.ts'
import type { Json } from './kind.ts'
import { looksLikeJson, parseJson } from './json-text.ts'
import { statementsFromJson } from './load-json.ts'
import { printStatements } from './print.ts'
import { blockToJson, statementsOf } from './spelling.ts'
import { remarkOnPending } from './pending.ts'
import { type ReadFile, realFiles } from './read-file.ts'
import { damaged, type Read, Reader, written } from './read.ts'
import { applyRules } from './rules.ts'
import { linesOf, type Source } from './source.ts'
import { placeOf, type Statement } from './statement.ts'
import { TreeBuilder } from './tree.ts'
import { vocabularyOf } from './unknown.ts'

/** What loading needs beside the file's name. */
export interface LoadOptions {
  /** The blocks of all checkers; what is not in the list is an unknown keyword. */
  readonly checkers: readonly CheckerBlock[]
  /** Where files come from; the real file system when not given. */
  readonly read?: ReadFile
  /** What `@ID` compares with, and `${_INSTANCE}`; the host name up to its first dot when not given. */
  readonly configId?: string
  /** For `${_ENV NAME}`; the process's environment when not given. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** For `${_RANDOM}`; answers 0 up to 1. */
  readonly random?: () => number
}

export interface LoadResult {
  /** Undefined only when nothing can run: there is no file. Blocks with an error in them are left out. */
  readonly config: Config | undefined
  /** In the order of the text, file by file. */
  readonly diagnostics: readonly Diagnostic[]
  /** Every file that was read, the main one first. */
  readonly files: readonly string[]
  /** The blocks that are not in the configuration because of errors, as their first lines name them. */
  readonly leftOut: readonly string[]
  /**
   * What was read, before inheritance and fix-ups, in the JSON spelling: definitions, sequences and includes are
   * resolved, and what equals its default is left out. Keeps the text in memory as long as the result is kept.
   */
  toJson(): Json
  /** The same as a minimal keepalived.conf. */
  toConf(): string
}

/**
 * Reads a configuration and everything it includes: keepalived.conf, or its JSON spelling where the file begins with a
 * brace. Whatever the bytes are: it answers with diagnostics, and does not throw.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<LoadResult> {
  const remarks = new Remarks()
  const grammar = grammarWith(options.checkers)
  const parsed = parseFile(file, grammar, options, remarks)
  const { includes } = parsed
  const json = parsed.json === undefined ? undefined : await statementsFromJson(parsed.json, grammar, remarks)
  const statements = json ?? parsed.statements
  const files = [...includes.read.keys()]
  const lexical = json === undefined ? damagedStatements(statements, remarks.all) : new Set<Statement>()
  const { text, script } = readRoot(grammar, statements, remarks)
  remarkOnPending(statements, remarks)
  remarkOnNames(statements, remarks)
  const root = text as unknown as RootText
  if (script !== undefined && root.globalDefs?.enableScriptSecurity !== true) {
    remarks.add('W029', placeOf(script), 'scripts are run and enable_script_security is not set in global_defs')
  }
  vrrpRules({ globals: root.globalDefs, instances: root.vrrpInstances, groups: root.vrrpSyncGroups }, remarks)
  const { config, leftOut } = resolveConfig(root, lexical, options.checkers, remarks)
  return {
    config: parsed.readable ? config : undefined,
    diagnostics: finish(remarks, includes),
    files,
    leftOut,
    toJson: () => blockToJson(grammar, text),
    toConf: () => confOf(grammar, blockToJson(grammar, text)),
  }
}

/** The JSON spelling of a configuration as a minimal keepalived.conf. */
function confOf(grammar: Block<Fields>, json: Json): string {
  const source = { file: '', text: JSON.stringify(json) }
  return printStatements(statementsOf(grammar, parseJson(source.text), source))
}

interface Parsed {
  readonly readable: boolean
  readonly statements: Statement[]
  readonly includes: Includes
  /** The main file, when it is the JSON spelling. */
  readonly json: Source | undefined
}

/** Text to tree. */
export function parseFile(file: string, grammar: Block<Fields>, options: LoadOptions, remarks: Remarks): Parsed {
  const builder = new TreeBuilder(grammar, remarks)
  const includes = new Includes(options.read ?? realFiles, remarks)
  const lexer = new Lexer(builder, includes, remarks, {
    configId: options.configId ?? hostname().split('.')[0] ?? '',
    env: options.env ?? process.env,
    random: options.random ?? Math.random,
  })
  let json: Source | undefined
  const readable = includes.main(file, (source) => {
    if (looksLikeJson(source.text)) json = source
    else lexer.file(source)
  })
  return { readable, statements: builder.finish(), includes, json }
}

/** The values of the top level. */
interface RootText {
  readonly globalDefs: GlobalDefsText | undefined
  readonly ssl: Surroundings['ssl']
  readonly virtualServerGroups: readonly (VirtualServerGroupText & Read)[]
  readonly virtualServers: readonly (VirtualServerText & Read)[]
  readonly vrrpInstances: readonly (VrrpInstanceText & Read)[]
  readonly vrrpSyncGroups: readonly (VrrpSyncGroupText & Read)[]
}

function readRoot(
  grammar: Block<Fields>,
  statements: Statement[],
  remarks: Remarks,
): { readonly text: Read; readonly script: Statement | undefined } {
  const reader = new Reader(remarks, vocabularyOf(grammar))
  const source: Source = { file: '', text: '' }
  const top: Statement = {
    keyword: '',
    args: [],
    source,
    line: 1,
    offset: 0,
    end: 0,
    written: undefined,
    field: undefined,
    body: statements,
  }
  return { text: reader.block(grammar, top), script: reader.firstScript }
}

function resolveConfig(
  text: RootText,
  broken: ReadonlySet<Statement>,
  checkers: readonly CheckerBlock[],
  remarks: Remarks,
): { readonly config: Config; readonly leftOut: readonly string[] } {
  const globals = resolveGlobals(text.globalDefs)
  const groups = new Map<string, VirtualServerGroupText & Read>()
  for (const group of text.virtualServerGroups) {
    const name = group.header as string | undefined
    if (name === undefined) continue
    if (!groups.has(name)) groups.set(name, group)
  }
  const smtpAlert = text.globalDefs?.smtpAlertChecker ?? text.globalDefs?.smtpAlert
  const home = { globals, smtpAlert, ssl: text.ssl, checkers, groups, remarks }
  const virtualServers: VirtualServer[] = []
  const leftOut: string[] = []
  const taken = new Map<string, VirtualServer>()
  for (const block of text.virtualServers) {
    if (block[damaged] === true || broken.has(block[written]) || brokenGroup(block, groups, broken)) {
      leftOut.push(nameOf(block))
      continue
    }
    const before = remarks.errors
    const resolved = resolveVirtualServer(block, home)
    const ready = resolved === undefined ? undefined : applyRules(resolved, block, remarks)
    if (ready === undefined || remarks.errors > before || !claim(ready, taken, remarks)) {
      leftOut.push(nameOf(block))
    } else virtualServers.push(ready)
  }
  return { config: { globals, virtualServers }, leftOut }
}

/** `virtual_server 192.0.2.1 80`: a block as its first line names it. */
const nameOf = (block: Read): string => [block[written].keyword, ...block[written].args].join(' ')

function brokenGroup(
  { header }: VirtualServerText,
  groups: ReadonlyMap<string, VirtualServerGroupText & Read>,
  broken: ReadonlySet<Statement>,
): boolean {
  const group = 'group' in header ? groups.get(header.group) : undefined
  return group !== undefined && (group[damaged] === true || broken.has(group[written]))
}

/** Takes the services of a virtual server; false, with an error, when another has one of them. */
function claim(vs: VirtualServer, taken: Map<string, VirtualServer>, remarks: Remarks): boolean {
  const entries = vs.target.kind === 'group' ? vs.target.entries : [vs.target]
  const keys = entries.map((entry) =>
    entry.kind === 'address' ? `${entry.address} ${entry.port} ${vs.protocol}` : `${entry.fwmark} ${entry.family}`,
  )
  for (const key of keys) {
    const other = taken.get(key)
    if (other === undefined) continue
    const what =
      other.name === vs.name
        ? `virtual_server ${vs.name} stands twice`
        : `${vs.name} answers for the same as ${other.name}`
    remarks.add('E050', vs.place, `${what}; this one is left out`, {
      related: [{ place: other.place, text: 'the first one' }],
    })
    return false
  }
  for (const key of keys) taken.set(key, vs)
  return true
}

/** The top-level statements in which errors of the text itself were found: their meaning is in doubt. */
function damagedStatements(
  statements: readonly Statement[],
  diagnostics: readonly Diagnostic[],
): ReadonlySet<Statement> {
  const found = new Set<Statement>()
  const errors = diagnostics.filter((each) => each.severity === 'error')
  if (errors.length === 0) return found
  const marks = new Map<string, { readonly line: number; readonly top: Statement }[]>()
  const visit = (statement: Statement, top: Statement): void => {
    const { file } = statement.source
    const list = marks.get(file)
    if (list === undefined) marks.set(file, [{ line: statement.line, top }])
    else list.push({ line: statement.line, top })
    for (const child of statement.body ?? []) visit(child, top)
  }
  for (const statement of statements) visit(statement, statement)
  for (const list of marks.values()) list.sort((a, b) => a.line - b.line)
  for (const { place } of errors) {
    const list = marks.get(place.file) ?? []
    let [low, high] = [0, list.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((list[middle]?.line ?? 0) <= place.line) low = middle + 1
      else high = middle
    }
    const nearest = list[low - 1]
    if (nearest !== undefined) found.add(nearest.top)
  }
  return found
}

/** Diagnostics in the order of the text, with the line each is about. */
function finish(remarks: Remarks, includes: Includes): readonly Diagnostic[] {
  const order = new Map([...includes.read.values()].map((source, i) => [source.file, i]))
  const sources = new Map([...includes.read.values()].map((source) => [source.file, source]))
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
      const source = sources.get(file)
      lines.set(file, (lineAt = source === undefined ? () => undefined : linesOf(source)))
    }
    const excerpt = lineAt(line)
    return excerpt === undefined ? each : { ...each, excerpt }
  })
}

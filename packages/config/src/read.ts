import type { Place } from './place.ts'
import type { Block, Field, Fields, Keyword, List } from './declare.ts'
import type { Remarks } from './diagnostics.ts'
import type { Kind } from './kind.ts'
import { placeOf, type Statement, wholePlace } from './statement.ts'
import { partsAtOnce, type Steps } from './steps.ts'
import { fieldMap } from './tree.ts'
import { remarkOnUnknown, runTogether, templateSyntax, type Vocabulary } from './unknown.ts'
import { Words } from './words.ts'

/** The statement a block was read from; a symbol, so that it is no part of its plain data. */
export const written: unique symbol = Symbol('written')

/** Set in a block in which, or in a block of which, an error was found. */
export const damaged: unique symbol = Symbol('damaged')

/** A block that was read: its declared values, and where it stands. */
export interface Read {
  readonly [written]: Statement
  readonly [damaged]?: true
  readonly [key: string]: unknown
}

/** Where a keyword of a read block stands; where it is not written, where the block begins. */
export function placeOfKeyword(block: Read, name?: string): Place {
  const statement = block[written]
  if (name === undefined) return placeOf(statement)
  const found = statement.body?.findLast((child) => child.keyword === name || child.field?.name === name)
  return found === undefined ? placeOf(statement) : wholePlace(found)
}

/** Blocks that are acted on, so that of a keyword in them it must be said when it is not. */
const toldHere: ReadonlySet<string> = new Set([
  'virtual_server',
  'real_server',
  'vrrp_instance',
  'vrrp_sync_group',
  'bfd_instance',
])

/** Blocks to values. */
export class Reader {
  readonly #remarks: Remarks
  readonly #words: Words
  readonly #vocabulary: Vocabulary
  readonly #idle = new Set<string>()
  /** The first statement that says to run a command. */
  firstScript: Statement | undefined
  /** Statements of which something is said only once, or only of the first. */
  told = 0

  constructor(remarks: Remarks, vocabulary: Vocabulary) {
    this.#remarks = remarks
    this.#words = new Words(remarks)
    this.#vocabulary = vocabulary
  }

  /** The values of a block whose statement was found to be of it. */
  block(block: Block, statement: Statement): Read {
    const { errors } = this.#remarks
    const values = this.#begin(block, statement)
    this.body(block, statement, values)
    return this.#marked(values, errors)
  }

  /** The same, with a rest now and then: there may be very many statements in it. */
  *inSteps(block: Block, statement: Statement): Steps<Read> {
    const { errors } = this.#remarks
    const values = this.#begin(block, statement)
    const plan = planOf(block)
    let done = 0
    for (const child of statement.body ?? []) {
      this.statement(block, child, values, plan)
      if (++done % partsAtOnce === 0) yield
    }
    if (this.#remarks.errors === errors) this.#required(block, statement, values)
    return this.#marked(values, errors)
  }

  #begin(block: Block, statement: Statement): Read & Record<string | symbol, unknown> {
    const values = new (planOf(block).Values)() as Record<string | symbol, unknown>
    values[written] = statement
    if (block.header !== undefined) values['header'] = this.#header(block, block.header, statement)
    else if (statement.args.length > 0) this.#extraWords(block, statement, 1)
    return values as Read & Record<string | symbol, unknown>
  }

  /** `errors`: how many there were before. */
  #marked(values: Read & Record<string | symbol, unknown>, errors: number): Read {
    if (this.#remarks.errors > errors) Object.assign(values, { [damaged]: true })
    return values
  }

  /** Reads the statements in a block into its values; a block that stands twice is read twice into the same. */
  body(block: Block, statement: Statement, values: Record<string | symbol, unknown>): void {
    if (block.open === true || statement.body === undefined || statement.kept !== undefined) return
    const plan = planOf(block)
    const { errors } = this.#remarks
    for (const child of statement.body) this.statement(block, child, values, plan)
    if (this.#remarks.errors === errors) this.#required(block, statement, values)
  }

  /** Says what is missing in a block. */
  #required(block: Block, statement: Statement, values: Readonly<Record<string | symbol, unknown>>): void {
    for (const { field, key } of planOf(block).required) {
      if (values[key] !== undefined && !(Array.isArray(values[key]) && values[key].length === 0)) continue
      if (statement.body?.some((child) => child.field === field) === true) continue
      this.#remarks.add('E036', placeOf(statement), `${block.name} needs ${field.name}`)
    }
  }

  /** Reads one statement of a block into its values. */
  statement(block: Block, child: Statement, values: Record<string | symbol, unknown>, plan = planOf(block)): void {
    const { field } = child
    if (field === undefined) {
      if (plan.entries === undefined) remarkOnUnknown(child, block, this.#vocabulary, this.#remarks)
      else this.#entry(plan.entries.list, child, values, plan.entries.key)
      return
    }
    const key = plan.keys.get(field)
    if (key === undefined) return
    if (field.deprecated !== undefined || field.unsupported !== undefined || field.oldNames !== undefined)
      this.#dated(child, field)
    if (field.pending === true && field.form !== 'block' && toldHere.has(block.name)) this.#notYet(child, block)
    if (field.form === 'value') this.#value(field, key, child, values, plan, block)
    else if (field.form === 'list') this.#list(field, child, values, key)
    else this.#nested(field, key, child, values)
  }

  /** Says once of each keyword that nothing is done with it yet; see pending.ts for the top level. */
  #notYet(statement: Statement, block: Block): void {
    this.told++
    const name = `${block.name}/${statement.keyword}`
    if (this.#idle.has(name)) return
    this.#idle.add(name)
    const text = `this version does not act yet on ${statement.keyword} in ${block.name}`
    this.#remarks.add('W028', placeOf(statement), text)
  }

  #dated(statement: Statement, field: Field): void {
    if (field.unsupported !== undefined) {
      this.#remarks.add('W026', placeOf(statement), `${field.name} is not supported: ${field.unsupported}`)
    } else if (field.deprecated !== undefined) {
      this.#remarks.add('W025', placeOf(statement), `${field.name} is deprecated: ${field.deprecated}`, {
        keepalived: field.deprecatedIsError === true ? 'error' : 'ok',
      })
    } else if (field.oldNames?.includes(statement.keyword) === true) {
      this.#remarks.add('W025', placeOf(statement), `${statement.keyword} is deprecated: use ${field.name}`, {
        keepalived: 'error',
      })
    }
  }

  #header(block: Block, kind: Kind<unknown>, statement: Statement): unknown {
    const words = this.#words.begin(statement)
    if (words.left === 0 && block.open !== true) {
      this.#remarks.add('E029', placeOf(statement), `${block.name} needs ${kind.syntax} before its "{"`)
      return undefined
    }
    const value = kind.read(words)
    if (value === undefined) this.#problem(block, statement)
    else if (words.left > 0) this.#extraWords(block, statement, words.position)
    return value
  }

  #value(
    field: Keyword<unknown>,
    key: string,
    statement: Statement,
    values: Record<string | symbol, unknown>,
    plan: Plan,
    block: Block,
  ): void {
    if (statement.body !== undefined) {
      this.#remarks.add('E034', placeOf(statement), `${statement.keyword} takes no braces`)
      return
    }
    let value: unknown
    if (statement.args.length === 0 && field.bare !== undefined) {
      value = field.bare
      if (field.bareIsOld === true)
        this.#remarks.add('W030', placeOf(statement), `newer keepalived wants a value after ${field.name}`)
    } else {
      const words = this.#words
      if (field.kind.escaped !== true) words.begin(statement)
      value = field.kind.escaped === true && !words.beginEscaped(statement) ? undefined : field.kind.read(words)
      if (value === undefined) {
        this.#problem(block, statement)
        return
      }
      if (words.left > 0) this.#extraWords(block, statement, words.position)
      if (field.kind.runs === true) {
        this.told++
        this.firstScript ??= statement
      }
    }
    if (field.repeated === 'each') {
      append(values, key, value)
      return
    }
    const before = values[key]
    if (before === undefined || before === plan.template[key]) values[key] = value
    else if (field.repeated === 'all') values[key] = [...(before as unknown[]), ...(value as unknown[])]
    else if (field.repeated === 'first') {
      this.#remarks.add('W024', wholePlace(statement), `${field.name} stands twice; the first counts`, {
        keepalived: 'error',
      })
    } else {
      values[key] = value
      if (JSON.stringify(before) !== JSON.stringify(value)) {
        this.#remarks.add('W024', wholePlace(statement), `${field.name} stands twice; this one counts`)
      }
    }
  }

  #list(field: List<unknown>, statement: Statement, values: Record<string | symbol, unknown>, key: string): void {
    if (statement.body === undefined) return
    if (statement.args.length > 0) this.#extraWords(undefined, statement, 1)
    for (const entry of statement.body) this.#entry(field, entry, values, key)
  }

  #entry(list: List<unknown>, statement: Statement, values: Record<string | symbol, unknown>, key: string): void {
    if (statement.body !== undefined) {
      this.#remarks.add('E010', placeOf(statement), `no block can stand among the entries of ${list.name}`)
      return
    }
    const count = statement.args.length + 1
    for (let first = 0; first < count; first++) {
      const words = this.#words.begin(statement, first, list.layout === 'words' ? first + 1 : count)
      const value = list.entry.read(words)
      if (value === undefined) this.#problem(undefined, statement)
      else {
        append(values, key, value)
        if (words.left > 0) this.#extraWords(undefined, statement, words.position)
      }
      if (list.layout === 'lines') return
    }
  }

  #nested(field: Block, key: string, statement: Statement, values: Record<string | symbol, unknown>): void {
    if (field.pending === true && field.name.endsWith('_CHECK')) {
      this.#remarks.add('E044', placeOf(statement), `${field.name} is known, but this version cannot run it`)
    }
    if (field.many) append(values, key, this.block(field, statement))
    else if (values[key] === undefined) values[key] = this.block(field, statement)
    else this.body(field, statement, values[key] as Record<string | symbol, unknown>)
  }

  /** Says what was wrong with a value, or what is more probably the reason: lost line breaks, copied documentation. */
  #problem(block: Block | undefined, statement: Statement): void {
    const { problem } = this.#words
    if (problem === undefined) return
    if (templateSyntax(statement, this.#remarks)) return
    if (block !== undefined && runTogether(statement, fieldMap(block), this.#remarks)) return
    const { code, text, suggestion } = problem
    const place = this.#words.placeOf(problem.word)
    if (this.#remarks.unreplaced(place)) return
    this.#remarks.add(code, place, text, suggestion === undefined ? {} : { suggestion })
  }

  #extraWords(block: Block | undefined, statement: Statement, from: number): void {
    if (templateSyntax(statement, this.#remarks)) return
    if (block !== undefined && runTogether(statement, fieldMap(block), this.#remarks)) return
    const first = placeOf(statement, from)
    const last = placeOf(statement, statement.args.length)
    const all = [statement.keyword, ...statement.args]
    const place = { ...first, length: Math.max(first.length ?? 1, last.column + (last.length ?? 1) - first.column) }
    const extra = statement.field?.secret === true ? '***' : all.slice(from).join(' ')
    if (statement.field?.form === 'value' && statement.field.kind.syntax === '' && from === 1) {
      this.#remarks.add('W023', place, `${statement.keyword} takes no value: it is on, whatever follows`)
    } else this.#remarks.add('W020', place, `${statement.keyword}: "${extra}" is ignored`)
  }
}

/** Where nothing is written; one for all blocks, as most have none of most things. */
const none: readonly unknown[] = Object.freeze([])

function append(values: Record<string | symbol, unknown>, key: string, value: unknown): void {
  const list = values[key]
  if (list === none) values[key] = [value]
  else (list as unknown[]).push(value)
}

/** What reading a block needs to know, made once for each. */
interface Plan {
  /** The values of a block in which nothing is written. */
  readonly template: Readonly<Record<string, unknown>>
  /** Makes the values of a block: what is not written is inherited from `template`, so that each holds only its own. */
  readonly Values: new () => object
  readonly keys: ReadonlyMap<Field, string>
  readonly entries: { readonly list: List<unknown>; readonly key: string } | undefined
  readonly required: readonly { readonly field: Field; readonly key: string }[]
}

const plans = new WeakMap<Fields, Plan>()

function planOf(block: Block): Plan {
  let plan = plans.get(block.fields)
  if (plan !== undefined) return plan
  const template: Record<string, unknown> = {}
  const keys = new Map<Field, string>()
  const required: { field: Field; key: string }[] = []
  let anonymous: Plan['entries']
  for (const [key, field] of Object.entries(block.fields)) {
    keys.set(field, key)
    template[key] = field.form === 'value' ? (field.default as unknown) : undefined
    if (field.form === 'list' || (field.form === 'block' && field.many) || field.repeated === 'each')
      template[key] = none
    if (field.form === 'list' && field.name === '') anonymous = { list: field, key }
    if (field.required === true) required.push({ field, key })
  }
  // eslint-disable-next-line @typescript-eslint/no-extraneous-class -- its prototype holds what is not written
  const Values = class {}
  Object.assign(Values.prototype, template)
  plan = { template, Values, keys, entries: anonymous, required }
  plans.set(block.fields, plan)
  return plan
}

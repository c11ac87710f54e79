import { Earlier, type KeptService, type Known, NotAsBefore, Recorder, type ReadBlocks } from './before.ts'
import type { CheckerBlock, Surroundings } from './checker-block.ts'
import type { Config, RealServer, VirtualServer } from './config.ts'
import { dataPathRules } from './data-path.ts'
import type { Block } from './declare.ts'
import type { Remarks } from './diagnostics.ts'
import { resolveGlobals } from './globals.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'
import type { VirtualServerGroupText, VirtualServerText } from './grammar/virtual-server.ts'
import { groupsOf, type Home, resolveVirtualServer } from './inherit.ts'
import { remarkOnPending } from './pending.ts'
import { damaged, type Read, Reader, written } from './read.ts'
import { remarkOnNames } from './references.ts'
import { applyRules } from './rules.ts'
import { globalRules, vipRules } from './rules-globals.ts'
import { resolveVrrp } from './vrrp/resolve.ts'
import { vrrpRules } from './vrrp/rules.ts'
import type { VrrpRootText } from './vrrp/text.ts'
import { resolveProcess, resolveSnmp, resolveSyncDaemon, type TopText } from './services.ts'
import { type Kept, placeOf, type Statement } from './statement.ts'
import type { Steps } from './steps.ts'
import type { Taker } from './tree.ts'
import { vocabularyOf } from './unknown.ts'

/** The values of the top level but the virtual servers, which are resolved one by one. */
interface RootText extends VrrpRootText, TopText {
  readonly globalDefs: (GlobalDefsText & Read) | undefined
  readonly ssl: Surroundings['ssl']
  readonly virtualServerGroups: readonly (VirtualServerGroupText & Read)[]
}

/** What virtual servers depend on that stands elsewhere in the file. */
export type Context = Pick<Home, 'globals' | 'smtpAlert' | 'drainOnRemoval' | 'ssl' | 'definitions' | 'groups'>

/** A virtual server in the order of the file: resolved, waiting for the groups, or left out. */
interface Slot {
  /** Of one that is left out. */
  readonly name: string | undefined
  readonly block: (VirtualServerText & Read) | undefined
  resolved: VirtualServer | undefined
}

/** A block that was taken as it was, and stands so many lines further down now: its places do not tell yet. */
export interface Shifted {
  readonly block: VirtualServer | RealServer
  readonly by: number
}

export interface Finished {
  readonly config: Config
  readonly leftOut: readonly string[]
  /** There is no block and no keyword in it. */
  readonly blank: boolean
  readonly stale: Context | undefined
  /** For the next load. */
  readonly blocks: ReadBlocks
  readonly shifted: readonly Shifted[]
}

const noSource = { file: '', text: '' }

/**
 * Puts a configuration together from its top-level statements as they come. A virtual server is resolved at once, so
 * that its text can be forgotten: of a hundred thousand real servers only what they mean stays.
 */
export class Assembly implements Taker {
  readonly #grammar: Block
  readonly #checkers: ReadonlyMap<string, CheckerBlock>
  readonly #remarks: Remarks
  readonly #reader: Reader
  readonly #root: Statement
  readonly #values: Record<string | symbol, unknown>
  readonly #kept: Statement[] = []
  readonly #slots: Slot[] = []
  readonly #leftOut: string[] = []
  readonly #broken = new Set<Statement>()
  readonly #instead: (resolved: VirtualServer) => VirtualServer
  readonly #earlier: Earlier | undefined
  readonly #recorder = new Recorder()
  readonly #shifted: Shifted[] = []
  #context: Context | undefined
  /** Of `#context`. */
  #key = ''

  /** `context`: what an earlier run over the same text found out. */
  constructor(
    grammar: Block,
    checkers: readonly CheckerBlock[],
    remarks: Remarks,
    context: Context | undefined,
    { instead = (resolved) => resolved, before }: Known,
  ) {
    this.#instead = instead
    this.#earlier = before === undefined ? undefined : new Earlier(before)
    this.#key = context === undefined ? '' : key(context)
    this.#grammar = grammar
    this.#checkers = new Map(checkers.map((checker) => [checker.keyword, checker]))
    this.#remarks = remarks
    this.#reader = new Reader(remarks, vocabularyOf(grammar))
    this.#context = context
    this.#root = {
      keyword: '',
      args: [],
      source: noSource,
      line: 1,
      offset: 0,
      end: 0,
      written: undefined,
      field: undefined,
      body: [],
    }
    this.#values = this.#reader.block(grammar, this.#root) as unknown as Record<string | symbol, unknown>
  }

  keep(statement: Statement, outer: Statement | undefined): Kept | undefined {
    const name = statement.field?.name
    if (name === 'virtual_server') {
      this.#soFar()
      return this.#noted(this.#earlier?.service(statement, this.#key))
    }
    return name === 'real_server' && outer !== undefined
      ? this.#noted(this.#earlier?.server(statement, outer))
      : undefined
  }

  #noted<T extends Kept>(kept: T | undefined): T | undefined {
    if (kept !== undefined && kept.shift !== 0) this.#shifted.push({ block: kept.block, by: kept.shift })
    return kept
  }

  *take(statement: Statement, broken: boolean, next?: Statement): Steps {
    const { field } = statement
    if (field?.form === 'block' && field.name === 'virtual_server') {
      yield* this.#takeService(field, statement, broken, next)
      return
    }
    if (broken) this.#broken.add(statement)
    this.#kept.push(statement)
    this.#reader.statement(this.#grammar, statement, this.#values)
  }

  *#takeService(field: Block, statement: Statement, broken: boolean, next: Statement | undefined): Steps {
    const { kept } = statement
    if (kept !== undefined) {
      this.#slots.push({ name: undefined, block: undefined, resolved: kept.block as VirtualServer })
      this.#recorder.kept(statement, kept as KeptService)
      return
    }
    const context = this.#soFar()
    const { said } = this.#remarks
    const { told } = this.#reader
    const block = (yield* this.#reader.inSteps(field, statement)) as unknown as VirtualServerText & Read
    const resolved = yield* this.#virtualServer(block, broken, context)
    if (resolved === undefined || this.#remarks.said > said || this.#reader.told > told) return
    if (statement.closing?.plain === true)
      this.#recorder.read(resolved, statement, next, this.#key, () => ownText(block, resolved))
  }

  /** What virtual servers depend on, as far as it was read when the first of them came. */
  #soFar(): Context {
    if (this.#context === undefined) {
      this.#context = this.#now()
      this.#key = key(this.#context)
    }
    return this.#context
  }

  /** Answers it where it could be resolved at once. */
  *#virtualServer(
    block: VirtualServerText & Read,
    broken: boolean,
    context: Context,
  ): Steps<VirtualServer | undefined> {
    const name = (): string => nameOf(block)
    const inGroup = (block.header as VirtualServerText['header'] | undefined) !== undefined && 'group' in block.header
    if (block[damaged] === true || broken) this.#slots.push({ name: name(), block: undefined, resolved: undefined })
    else if (inGroup) this.#slots.push({ name: name(), block, resolved: undefined })
    else {
      const resolved = yield* this.#resolve(block, context)
      this.#slots.push({ name: resolved === undefined ? name() : undefined, block: undefined, resolved })
      return resolved
    }
    return undefined
  }

  *#resolve(block: VirtualServerText & Read, context: Context): Steps<VirtualServer | undefined> {
    const { errors } = this.#remarks
    const home = { ...context, checkers: this.#checkers, remarks: this.#remarks }
    const resolved = yield* resolveVirtualServer(block, home)
    const ready = resolved === undefined ? undefined : yield* applyRules(resolved, block, this.#remarks)
    if (ready !== undefined && hasKept(block) && this.#earlier?.ownOf(block[written]) !== ownText(block, ready))
      throw new NotAsBefore()
    return this.#remarks.errors > errors || ready === undefined ? undefined : this.#instead(ready)
  }

  /** The context as far as it was read. */
  #now(): Context {
    const { globalDefs, ssl, virtualServerGroups, trackFiles, vrrpTrackFiles, bfdInstances } = this
      .#values as unknown as RootText
    const groups = new Map<string, VirtualServerGroupText & Read>()
    for (const group of virtualServerGroups) {
      const name = group.header as string | undefined
      if (name !== undefined && !groups.has(name)) groups.set(name, group)
    }
    return {
      globals: resolveGlobals(globalDefs),
      smtpAlert: globalDefs?.smtpAlertChecker ?? globalDefs?.smtpAlert,
      drainOnRemoval: globalDefs?.drainOnRemoval,
      ssl,
      definitions: { track_file: byName([...trackFiles, ...vrrpTrackFiles]), bfd_instance: byName(bfdInstances) },
      groups,
    }
  }

  /**
   * The configuration once everything was taken. `stale`: settings that stand behind the first virtual server would
   * have changed what it means; take everything again with this context.
   */
  *finish(): Steps<Finished> {
    const context = this.#now()
    const stale = this.#context !== undefined && this.#key !== key(context) ? context : undefined
    for (const slot of this.#slots) {
      if (slot.block !== undefined && !this.#brokenGroup(slot.block, context))
        slot.resolved = yield* this.#resolve(slot.block, context)
    }
    const taken = new Map<string, VirtualServer>()
    const virtualServers: VirtualServer[] = []
    for (const { name, resolved } of this.#slots) {
      if (resolved !== undefined && claim(resolved, taken, this.#remarks)) virtualServers.push(resolved)
      else this.#leftOut.push(name ?? `virtual_server ${resolved?.name ?? ''}`)
      yield
    }
    this.#others(virtualServers)
    const vrrp = resolveVrrp({
      root: this.#values as unknown as RootText,
      virtualServers,
      statements: this.#kept,
      broken: this.#broken,
      remarks: this.#remarks,
    })
    const { leftOut, ...resolved } = vrrp
    const root = this.#values as unknown as RootText
    const groups = groupsOf(context.groups)
    const config = {
      globals: context.globals,
      virtualServers,
      ...(groups.length === 0 ? {} : { virtualServerGroups: groups }),
      ...resolved,
      ...services(root, resolved.vrrp),
    }
    return {
      config,
      leftOut: [...this.#leftOut, ...leftOut],
      blank: this.#kept.length === 0 && this.#slots.length === 0,
      stale,
      blocks: this.#recorder.blocks,
      shifted: this.#shifted,
    }
  }

  /** What is to be said of the rest; marks the blocks that turn out to have an error in them. */
  #others(virtualServers: readonly VirtualServer[]): void {
    const { globalDefs, vrrpInstances, vrrpSyncGroups, vrrpScripts } = this.#values as unknown as RootText
    remarkOnPending(this.#kept, this.#remarks)
    for (const statement of remarkOnNames(this.#kept, this.#remarks)) this.#broken.add(statement)
    globalRules(globalDefs, vrrpInstances, this.#remarks)
    dataPathRules(globalDefs, virtualServers, this.#remarks)
    const { said } = this.#remarks
    vipRules(vrrpInstances, virtualServers, this.#remarks)
    // It was said of places that may not be right any more.
    if (this.#remarks.said > said && this.#shifted.length > 0) throw new NotAsBefore()
    const script = this.#reader.firstScript
    if (script !== undefined && globalDefs?.enableScriptSecurity !== true) {
      this.#remarks.add('W029', placeOf(script), 'scripts are run and enable_script_security is not set in global_defs')
    }
    const text = { instances: vrrpInstances, groups: vrrpSyncGroups, scripts: vrrpScripts, virtualServers }
    for (const each of vrrpRules({ globals: globalDefs, ...text }, this.#remarks)) this.#broken.add(each)
  }

  #brokenGroup({ header }: VirtualServerText, { groups }: Context): boolean {
    const group = 'group' in header ? groups.get(header.group) : undefined
    return group !== undefined && (group[damaged] === true || this.#broken.has(group[written]))
  }
}

/** What stands around the services. */
const services = (root: RootText, { instances }: Config['vrrp']): Pick<Config, 'syncDaemon' | 'snmp' | 'process'> => ({
  syncDaemon: resolveSyncDaemon(root.globalDefs, instances),
  snmp: resolveSnmp(root.globalDefs, root),
  process: resolveProcess(root, root.globalDefs),
})

/** `virtual_server 192.0.2.1 80`: a block as its first line names it. */
const nameOf = (block: Read): string => [block[written].keyword, ...block[written].args].join(' ')

/** Some of its real servers are as they were. */
const hasKept = (block: VirtualServerText): boolean =>
  (block.realServers as readonly (VirtualServerText['realServers'][number] & Read)[]).some(
    (real) => real[written].kept !== undefined,
  )

/** Two virtual servers with one such text, read under one context, mean the same to the real servers in them. */
const ownText = (block: VirtualServerText, { target }: VirtualServer): string =>
  JSON.stringify([target, { ...block, realServers: undefined }], withoutPlaces)

const withoutPlaces = (name: string, value: unknown): unknown => (name === 'place' ? undefined : value)

/** Two contexts with one key mean the same to a virtual server that is in no group. */
const key = ({ globals, smtpAlert, drainOnRemoval, ssl, definitions }: Context): string =>
  JSON.stringify(
    [globals, smtpAlert, drainOnRemoval, ssl, ...Object.values(definitions).map((each) => [...each])],
    withoutPlaces,
  )

/** The first of each name. */
function byName<T extends { readonly header: string | undefined }>(blocks: readonly T[]): ReadonlyMap<string, T> {
  const named = new Map<string, T>()
  for (const each of blocks) if (each.header !== undefined && !named.has(each.header)) named.set(each.header, each)
  return named
}

/** Takes the services of a virtual server; false, with an error, when another has one of them. */
function claim(vs: VirtualServer, taken: Map<string, VirtualServer>, remarks: Remarks): boolean {
  const entries = vs.target.kind === 'group' ? vs.target.entries : [vs.target]
  const keys = entries.map((entry) =>
    entry.kind === 'address' ? `${entry.address} ${entry.port} ${vs.protocol}` : `${entry.fwmark} ${entry.family}`,
  )
  for (const each of keys) {
    const other = taken.get(each)
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
  for (const each of keys) taken.set(each, vs)
  return true
}

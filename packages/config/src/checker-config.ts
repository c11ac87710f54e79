import { type Address, familyOf, isLinkLocal, seconds } from '@ipvs-director/core'
import type { CheckerBlock, Definitions, Reports, Surroundings } from './checker-block.ts'
import type { CheckConnection, CheckerConfig, CheckTiming, Forwarding, Globals, VirtualServerTarget } from './config.ts'
import { alongDataPath } from './data-path.ts'
import type { Block, Fields, Values } from './declare.ts'
import { anyAddressOf } from './dynamic.ts'
import type { Remarks } from './diagnostics.ts'
import { connection, dataPath, timing } from './grammar/timing.ts'
import type { RealServerText, VirtualServerText } from './grammar/virtual-server.ts'
import { damaged, placeOfKeyword, type Read, written } from './read.ts'
import { shared } from './shared.ts'
import { placeOf } from './statement.ts'

type CommonText = Partial<Values<Block<typeof connection & typeof timing & typeof dataPath>>>

const common: ReadonlySet<string> = new Set([
  ...Object.keys(connection),
  ...Object.keys(timing),
  ...Object.keys(dataPath),
])

/** keepalived's built-in connect_timeout. */
const connectTimeout = seconds(5)

/** The blocks that checkers refer to, by name. */
export type NamedDefinitions = { readonly [K in keyof Definitions]: ReadonlyMap<string, Definitions[K]> }

/** What a checker inherits from (reference/checkers.md §1), and where it reports. */
export interface CheckerHome {
  readonly virtualServer: VirtualServerText
  readonly realServer: Omit<RealServerText, 'header'>
  /** The real server as resolved; the port as written where it is, else the virtual server's. */
  readonly address: Address
  readonly port: number
  readonly weight: number
  readonly target: VirtualServerTarget
  readonly forwarding: Forwarding
  readonly definitions: NamedDefinitions
  readonly globals: Globals
  readonly ssl: Surroundings['ssl']
  readonly remarks: Remarks
}

/**
 * The checks that one block stands for: itself, and where it has blocks of other connections ({@link CheckerBlock.others})
 * each of these with everything else in common; then itself only if it says where to connect (keepalived's check_smtp.c).
 */
export function spread(checker: CheckerBlock, text: Read): readonly Read[] {
  const others = checker.others === undefined ? [] : (text[checker.others] as readonly Read[])
  if (others.length === 0) return [text]
  const itself = Object.keys(connection).some((key) => text[key] !== undefined)
  const each = others.map((other): Read => {
    const own = Object.fromEntries(Object.keys(connection).map((key) => [key, other[key]]))
    // Its own timeout, else that of the whole block; everything else of a connection is its own.
    const connectTimeout = other['connectTimeout'] ?? text['connectTimeout']
    return Object.assign(Object.create(text) as Read, own, { connectTimeout, [written]: other[written] })
  })
  return itself ? [text, ...each] : each
}

/** A checker with every value resolved: its own, else the real server's, else the virtual server's, else built in. */
export function resolveChecker(checker: CheckerBlock, text: Read, home: CheckerHome): CheckerConfig {
  const own = text as CommonText
  const { virtualServer: vs, realServer: rs, remarks } = home
  const delayLoop = own.delayLoop ?? rs.delayLoop ?? vs.delayLoop
  const retryGap = checker.defaults.delayBeforeRetry === 'delayLoop' ? delayLoop : checker.defaults.delayBeforeRetry
  const options = ownOptions(text, checker.block.fields)
  const damagedText = text[damaged] === true
  const completed = damagedText ? undefined : checker.complete?.(options as never, new Around(text, home))
  const times: CheckTiming = {
    delayLoop,
    retry: retryOf(own) ?? retryOf(rs) ?? retryOf(vs) ?? checker.defaults.retry,
    delayBeforeRetry: own.delayBeforeRetry ?? rs.delayBeforeRetry ?? vs.delayBeforeRetry ?? retryGap,
    warmup: own.warmup ?? rs.warmup ?? vs.warmup ?? delayLoop,
    timeout: completed?.timeout ?? own.connectTimeout ?? rs.connectTimeout ?? vs.connectTimeout ?? connectTimeout,
    // What a file says is known at once: FILE_CHECK has no such word, and inherits none.
    alpha: 'alpha' in checker.block.fields && (own.alpha ?? rs.alpha ?? vs.alpha),
    logAllFailures: own.logAllFailures ?? home.globals.checkerLogAllFailures,
  }
  const changing = resolveChanging(own, rs, vs)
  const resolved = sharedTiming(checker.keyword, changing === undefined ? times : { ...times, ...changing })
  if (!damagedText) checkTiming(text, resolved, remarks)
  return {
    place: placeOf(text[written]),
    kind: checker.keyword,
    timing: resolved,
    connection: checker.connection ? resolveConnection(checker, text, own, home) : undefined,
    options: shared(checker.keyword, (completed?.options ?? options) as CheckerConfig['options']),
  }
}

/** `fall` counts the failure that takes the server down, `retry` does not. */
const retryOf = ({ fall, retry }: Pick<CommonText, 'fall' | 'retry'>): number | undefined =>
  fall === undefined ? retry : fall - 1

/** Our own words, absent where they change nothing: a check's id is made of what is there. Undefined: none does. */
function resolveChanging(
  own: CommonText,
  rs: CheckerHome['realServer'],
  vs: VirtualServerText,
): Pick<CheckTiming, 'rise' | 'changing' | 'jitter'> | undefined {
  const rise = own.rise ?? rs.rise ?? vs.rise ?? 1
  const changing = own.delayLoopChanging ?? rs.delayLoopChanging ?? vs.delayLoopChanging
  const jitter = own.jitter ?? rs.jitter ?? vs.jitter ?? 0
  if (rise === 1 && changing === undefined && jitter === 0) return undefined
  return {
    ...(rise === 1 ? {} : { rise }),
    ...(changing === undefined ? {} : { changing }),
    ...(jitter === 0 ? {} : { jitter: jitter / 100 }),
  }
}

const lastTimings = new Map<string, CheckTiming>()

/** The same object as for the last checker of the kind where nothing differs, as it does for most of a pool: there may be very many. */
function sharedTiming(kind: string, timing: CheckTiming): CheckTiming {
  const last = lastTimings.get(kind)
  if (
    last === undefined ||
    last.delayLoop !== timing.delayLoop ||
    last.retry !== timing.retry ||
    last.delayBeforeRetry !== timing.delayBeforeRetry ||
    last.warmup !== timing.warmup ||
    last.timeout !== timing.timeout ||
    last.alpha !== timing.alpha ||
    last.logAllFailures !== timing.logAllFailures ||
    last.rise !== timing.rise ||
    last.changing !== timing.changing ||
    last.jitter !== timing.jitter
  ) {
    lastTimings.set(kind, timing)
    return timing
  }
  return last
}

function resolveConnection(
  checker: CheckerBlock,
  text: Read,
  own: CommonText,
  { address, port: usual, ...home }: CheckerHome,
): CheckConnection {
  const { remarks } = home
  const path = own.dataPath === true ? alongDataPath(text, own, { address, ...home }) : undefined
  const target = path?.address ?? own.connectIp ?? address
  if (own.bindTo !== undefined && familyOf(own.bindTo) !== familyOf(target)) {
    remarks.add('E061', placeOfKeyword(text, 'bindto'), `${own.bindTo} and ${target} are of different families`)
  }
  if (isLinkLocal(target) && own.bindInterface === undefined && path === undefined)
    remarks.add('W058', placeOfKeyword(text, 'connect_ip'), `${target} is link-local: bind_if must name its interface`)
  const port = own.connectPort ?? path?.port ?? usual
  // Whoever can go along a data path speaks TCP or UDP. Servers of a source bring a port of their own.
  if (port === 0 && 'dataPath' in checker.block.fields && address !== anyAddressOf(familyOf(address)))
    remarks.add('W059', placeOfKeyword(text), `no port is known for this ${checker.keyword}: connect_port must say it`)
  return {
    address: target,
    port,
    bindAddress: own.bindTo,
    bindPort: own.bindPort,
    bindInterface: own.bindInterface,
    fwmark: own.fwmark ?? 0,
    ...(path === undefined ? {} : { through: path.through }),
  }
}

function checkTiming(text: Read, { timeout, delayLoop, retry, delayBeforeRetry }: CheckTiming, remarks: Remarks): void {
  if (timeout <= delayLoop || (retry > 0 && delayBeforeRetry >= timeout)) return
  const statement = text[written].body?.find(
    (child) => child.keyword === 'connect_timeout' || child.keyword === 'misc_timeout',
  )
  if (statement === undefined) return
  remarks.add(
    'W050',
    placeOf(statement, 1),
    `a check may take ${timeout / 1000} s, longer than the ${delayLoop / 1000} s between two`,
  )
}

/** What is said of a block. */
class BlockReports implements Reports {
  readonly #block: Read
  readonly #remarks: Remarks

  constructor(block: Read, remarks: Remarks) {
    this.#block = block
    this.#remarks = remarks
  }

  error(message: string, keyword?: string): void {
    this.#remarks.add('E063', placeOfKeyword(this.#block, keyword), message)
  }

  warning(message: string, keyword?: string): void {
    this.#remarks.add('W047', placeOfKeyword(this.#block, keyword), message)
  }
}

/** Most checkers ask nothing of it, and there are very many: it is put together as it is asked for. */
class Around extends BlockReports implements Surroundings {
  readonly #text: Read
  readonly #home: CheckerHome

  constructor(text: Read, home: CheckerHome) {
    super(text, home.remarks)
    this.#text = text
    this.#home = home
  }

  get realServer(): Surroundings['realServer'] {
    const { address, port, weight, realServer } = this.#home
    return { address, port, weight, virtualhost: realServer.virtualhost }
  }

  get virtualServer(): Surroundings['virtualServer'] {
    const { virtualhost, delayLoop } = this.#home.virtualServer
    return { virtualhost, delayLoop }
  }

  get ssl(): Surroundings['ssl'] {
    return this.#home.ssl
  }

  get dataPath(): boolean {
    return (this.#text as CommonText).dataPath === true
  }

  definition<K extends keyof Definitions>(kind: K, name: string): Definitions[K] | undefined {
    return this.#home.definitions[kind].get(name)
  }

  inside(field: string, nth: number): Reports {
    return new BlockReports((this.#text[field] as readonly Read[])[nth] ?? this.#text, this.#home.remarks)
  }
}

const ownKeys = new WeakMap<Fields, readonly string[]>()

/** The options that only this kind of checker has, as plain data without what is not set. */
function ownOptions(text: Read, fields: Fields): object {
  let keys = ownKeys.get(fields)
  if (keys === undefined) ownKeys.set(fields, (keys = Object.keys(fields).filter((key) => !common.has(key))))
  const options: Record<string, unknown> = {}
  for (const key of keys) if (text[key] !== undefined) options[key] = plain(text[key])
  return options
}

/** A value without symbols and undefined: what JSON would keep. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const data: Record<string, unknown> = {}
  // Defaults of a block that was read are inherited, and for … in sees them.
  for (const key in value) {
    const each = (value as Readonly<Record<string, unknown>>)[key]
    if (each !== undefined) data[key] = plain(each)
  }
  return data
}

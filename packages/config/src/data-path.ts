import { type Address, familyOf } from '@ipvs-director/core'
import type { CheckConnection, Config, DataPath, Globals, VirtualServer, VirtualServerTarget } from './config.ts'
import type { Remarks } from './diagnostics.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'
import { damaged, placeOfKeyword, type Read } from './read.ts'

/** Where the check stands. */
interface Home extends DataPath {
  readonly target: VirtualServerTarget
  readonly globals: Globals
  readonly remarks: Remarks
}

/**
 * `data_path`: the address of the virtual server is checked through one real server, as the packets of clients go. The
 * kernel finds the way by a mark: it has an IPVS service for it with this one destination.
 */
export function alongDataPath(
  text: Read,
  own: {
    readonly connectIp?: Address | undefined
    readonly fwmark?: number | undefined
    readonly bindInterface?: string | undefined
  },
  { address, forwarding, target, globals, remarks }: Home,
): { readonly address: Address; readonly port: number | undefined; readonly through: DataPath } | undefined {
  const entry = firstAddress(target)
  const at = own.connectIp ?? entry?.address
  const problem =
    forwarding.method === 'masq'
      ? 'data_path is for lvs_method DR and TUN: with NAT the real server is asked at its own address anyway'
      : at === undefined
        ? 'data_path needs connect_ip here: a mark does not tell which address clients use'
        : familyOf(at) !== familyOf(address)
          ? `${at} and ${address} are of different families`
          : own.fwmark !== undefined
            ? 'data_path brings a mark of its own: leave out fwmark'
            : own.bindInterface !== undefined
              ? 'with data_path the kernel finds the interface: leave out bind_if'
              : globals.dataPathMarks === undefined
                ? 'data_path needs data_path_marks FIRST LAST in global_defs'
                : undefined
  if (at === undefined || problem !== undefined) {
    if (text[damaged] !== true) remarks.add('E068', placeOfKeyword(text, 'data_path'), problem ?? '')
    return undefined
  }
  const port = entry === undefined || entry.port === 0 ? undefined : entry.port
  return { address: at, port, through: { address, forwarding } }
}

function firstAddress(target: VirtualServerTarget): { readonly address: Address; readonly port: number } | undefined {
  const entries = target.kind === 'group' ? target.entries : [target]
  return entries.find((entry) => entry.kind === 'address')
}

/** Equal for checks that can share a mark: IPVS tells the families apart, and each way has one destination. */
function keyOf(at: CheckConnection, { address, forwarding: { method, tunnel } }: DataPath): string {
  const how = tunnel === undefined ? '' : `${tunnel.type} ${tunnel.port} ${tunnel.checksum}`
  return `${familyOf(at.address)} ${address} ${method} ${how}`
}

/** The keys of all data paths, in an order that does not depend on the file's. */
function keysOf(virtualServers: readonly VirtualServer[]): readonly string[] {
  const keys = new Set<string>()
  for (const { realServers } of virtualServers) {
    for (const { checkers } of realServers) {
      for (const { connection } of checkers) {
        if (connection?.through !== undefined) keys.add(keyOf(connection, connection.through))
      }
    }
  }
  return [...keys].sort()
}

/**
 * Gives every data path its mark. It hangs on what the path is, and hardly on what others there are, so that it stays the
 * same when a configuration changes. A path for which there is none left keeps 0.
 */
export function withDataPathMarks(config: Config): Config {
  const keys = config.globals.dataPathMarks === undefined ? [] : keysOf(config.virtualServers)
  if (keys.length === 0) return config
  const marks = assign(keys, config)
  return {
    ...config,
    virtualServers: config.virtualServers.map((virtual) => ({
      ...virtual,
      realServers: virtual.realServers.map((real) =>
        real.checkers.every(({ connection }) => connection?.through === undefined)
          ? real
          : {
              ...real,
              checkers: real.checkers.map((checker) => ({ ...checker, connection: marked(checker.connection, marks) })),
            },
      ),
    })),
  }
}

function marked(at: CheckConnection | undefined, marks: ReadonlyMap<string, number>): CheckConnection | undefined {
  return at?.through === undefined ? at : { ...at, fwmark: marks.get(keyOf(at, at.through)) ?? 0 }
}

function assign(keys: readonly string[], { globals, virtualServers }: Config): ReadonlyMap<string, number> {
  const marks = new Map<string, number>()
  const { first, last } = globals.dataPathMarks ?? { first: 1, last: 0 }
  const size = last - first + 1
  const taken = marksOf(virtualServers)
  for (const key of keys) {
    let mark = hash(key) % size
    let tried = 0
    while (tried < size && taken.has(first + mark)) {
      mark = (mark + 1) % size
      tried++
    }
    if (tried >= size) break
    taken.add(first + mark)
    marks.set(key, first + mark)
  }
  return marks
}

/** Marks that virtual servers answer for, and that checks are to have. */
function marksOf(virtualServers: readonly VirtualServer[]): Set<number> {
  const marks = new Set<number>()
  for (const { target, realServers } of virtualServers) {
    for (const entry of target.kind === 'group' ? target.entries : [target]) {
      if (entry.kind === 'fwmark') marks.add(entry.fwmark)
    }
    for (const { checkers } of realServers) {
      for (const { connection } of checkers) {
        if (connection?.through === undefined && connection?.fwmark) marks.add(connection.fwmark)
      }
    }
  }
  return marks
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** `data_path_marks`: the range is one, has a mark for every data path, and nothing else has one of them. */
export function dataPathRules(
  globals: (GlobalDefsText & Read) | undefined,
  virtualServers: readonly VirtualServer[],
  remarks: Remarks,
): void {
  const marks = globals?.dataPathMarks
  if (globals === undefined || marks === undefined) return
  const { first, last } = marks
  const bad = (message: string): void => {
    remarks.add('E068', placeOfKeyword(globals, 'data_path_marks'), message)
  }
  if (last < first) {
    bad(`data_path_marks: ${last} is less than ${first}`)
    return
  }
  const clash = [...marksOf(virtualServers)].filter((mark) => mark >= first && mark <= last).sort((a, b) => a - b)[0]
  if (clash !== undefined) bad(`mark ${clash} is used in this file, and within data_path_marks ${first} ${last}`)
  const paths = keysOf(virtualServers).length
  const room = last - first + 1
  if (paths > room) bad(`data_path_marks ${first} ${last} are ${room} marks for ${paths} data paths`)
}

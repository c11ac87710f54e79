/** Generic netlink (linux/genetlink.h): families that are found by name, and commands within them. */
import { DecodeError, KernelError } from '@ipvs-director/core'
import { attributes, list, nested } from './attributes.ts'
import { isRefusal, type NetlinkChannel, type NetlinkMessage, type NetlinkRequest, type Refusal } from './channel.ts'
import { text, u16, u32, u8 } from './codecs.ts'
import { struct } from './struct.ts'
import type { Writer } from './writer.ts'

/** One command of a family. */
export interface GenericRequest {
  readonly command: number
  /** Extra `nlmsg_flags`. */
  readonly flags?: number
  /** The attributes. */
  readonly payload: Uint8Array
}

/** Many commands, written when their turn comes: see {@link NetlinkBatch}. */
export interface GenericBatch {
  readonly count: number
  command(index: number): number
  /** Appends the attributes of the command at this place; it can be asked for twice. */
  write(writer: Writer, index: number): void
}

/** One message of an answer: command and attributes, both headers taken off. */
export interface GenericMessage {
  readonly command: number
  readonly version: number
  readonly payload: Buffer
}

/** A family as this kernel numbers it, over one channel. The calls are those of {@link NetlinkChannel}. */
export interface GenericFamily {
  readonly name: string
  readonly id: number
  readonly version: number
  /** Multicast groups: number by name. */
  readonly groups: ReadonlyMap<string, number>
  execute(requests: readonly GenericRequest[]): Promise<readonly (Refusal | undefined)[]>
  executeEach(batch: GenericBatch): Promise<readonly (Refusal | undefined)[]>
  ask(request: GenericRequest): Promise<readonly GenericMessage[] | Refusal>
  dump(request: GenericRequest): Promise<readonly GenericMessage[] | Refusal>
}

/** The kernel has no such family: not built in, and no module of it could be loaded. */
export class MissingFamilyError extends KernelError {
  override readonly name = 'MissingFamilyError'
}

/** struct genlmsghdr, in front of the attributes. */
const header = struct({ command: u8, version: u8, reserved: u16 })

/** The family of families, "nlctrl": the only one with a fixed number. */
const GENL_ID_CTRL = 0x10
const CTRL_CMD_GETFAMILY = 3
const control = attributes({
  id: [1, u16],
  name: [2, text],
  version: [3, u32],
  groups: [7, list(nested(attributes({ name: [1, text], id: [2, u32] })))],
})

const ENOENT = 2

/**
 * Finds a family by its name; for this the kernel loads its module (`IPVS` loads ip_vs). Rejects with a
 * {@link MissingFamilyError} where there is none, with a KernelError for another refusal.
 */
export async function genericFamily(channel: NetlinkChannel, name: string): Promise<GenericFamily> {
  const request = { command: CTRL_CMD_GETFAMILY, payload: control.encode({ name }) }
  const answer = await channel.ask(toNetlink(GENL_ID_CTRL, 1, request))
  if (isRefusal(answer)) {
    const tried = `cannot find the generic netlink family ${name}`
    throw answer.errno === ENOENT ? new MissingFamilyError(tried, answer) : new KernelError(tried, answer)
  }
  const [message] = answer
  if (message === undefined) throw new DecodeError(`no answer about the generic netlink family ${name}`)
  const { id, version = 1, groups = [] } = control.decode(fromNetlink(message).payload)
  if (id === undefined) throw new DecodeError(`the generic netlink family ${name} has no number`)
  return familyOver(channel, { name, id, version, groups: namedGroups(groups) })
}

/** Commands of a family with a known number. */
export function familyOver(
  channel: NetlinkChannel,
  family: Pick<GenericFamily, 'name' | 'id' | 'version' | 'groups'>,
): GenericFamily {
  const wrap = (request: GenericRequest): NetlinkRequest => toNetlink(family.id, family.version, request)
  return {
    ...family,
    execute: (requests) => channel.execute(requests.map(wrap)),
    executeEach: (batch) =>
      channel.executeEach({
        type: family.id,
        count: batch.count,
        write(writer, index) {
          writer.u8(batch.command(index))
          writer.u8(family.version)
          writer.u16(0)
          batch.write(writer, index)
        },
      }),
    ask: async (request) => unwrap(await channel.ask(wrap(request))),
    dump: async (request) => unwrap(await channel.dump(wrap(request))),
  }
}

/** Puts the generic header in front. */
export function toNetlink(family: number, version: number, request: GenericRequest): NetlinkRequest {
  const payload = Buffer.allocUnsafe(header.size + request.payload.length)
  payload[0] = request.command
  payload[1] = version
  payload[2] = 0
  payload[3] = 0
  payload.set(request.payload, header.size)
  return request.flags === undefined ? { type: family, payload } : { type: family, flags: request.flags, payload }
}

/** Takes the generic header off; throws a DecodeError where it is cut off. */
export function fromNetlink(message: NetlinkMessage): GenericMessage {
  const { command, version } = header.decode(message.payload)
  return { command, version, payload: message.payload.subarray(header.size) }
}

function unwrap(answer: readonly NetlinkMessage[] | Refusal): readonly GenericMessage[] | Refusal {
  return isRefusal(answer) ? answer : answer.map(fromNetlink)
}

function namedGroups(groups: readonly { name?: string | undefined; id?: number | undefined }[]): Map<string, number> {
  const byName = new Map<string, number>()
  for (const { name, id } of groups) if (name !== undefined && id !== undefined) byName.set(name, id)
  return byName
}

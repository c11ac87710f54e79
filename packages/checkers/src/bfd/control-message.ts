import { endianness } from 'node:os'

const little = endianness() === 'LE'
/** struct cmsghdr of 64-bit machines: length, level, type. */
const headerBytes = 16

/** The `int` in the first control message of that level and type (cmsg(3)); undefined when there is none. */
export function controlNumber(control: Buffer | undefined, level: number, type: number): number | undefined {
  const int = (at: number): number => (little ? control?.readInt32LE(at) : control?.readInt32BE(at)) ?? 0
  for (let at = 0; control !== undefined && at + headerBytes + 4 <= control.length;) {
    const length = little ? control.readUInt32LE(at) : control.readUInt32BE(at + 4)
    if (length < headerBytes) return undefined
    if (int(at + 8) === level && int(at + 12) === type) return int(at + headerBytes)
    at += (length + 7) & ~7
  }
  return undefined
}

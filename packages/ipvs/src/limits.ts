import type { SyncDaemon, Timeouts } from './client.ts'
import type { IpvsRefusal } from './refusal.ts'
import { isMark, type Command, type Destination, type ServiceKey, type ServiceSettings } from './table.ts'

/** Longest scheduler and engine name, in bytes; the kernel's arrays hold a NUL beside it. */
export const longestName = 15

/**
 * The kernel counts persistence in ticks of 32 bits: a longer one wraps round without an error (2^32 / HZ seconds,
 * here for HZ = 1000).
 */
export const longestPersistence = 4_294_967

/**
 * Why a command is refused before the kernel sees it: what does not fit its field, or what the kernel would take for
 * something else instead of refusing it. Undefined when there is no such reason.
 */
export function beyondLimits(command: Command): IpvsRefusal | undefined {
  switch (command.do) {
    case 'addService':
    case 'setService':
      return checkService(command.key) ?? checkSettings(command.settings)
    case 'deleteService':
      return checkService(command.key)
    case 'addDestination':
    case 'setDestination':
      return checkService(command.service) ?? checkDestination(command.destination)
    case 'deleteDestination':
      return checkService(command.service) ?? checkPort(command.destination.port)
    case 'flush':
      return undefined
  }
}

/** The same for a sync daemon: the kernel keeps 32 bits of the sync id and sends eight. */
export function beyondDaemonLimits(daemon: SyncDaemon): IpvsRefusal | undefined {
  const { interface: device, syncId, maxLength = 0, port = 0, ttl = 0 } = daemon
  if (!isName(device)) return name('interface', device)
  if ((syncId & 0xff) !== syncId) return range('sync id', syncId, '0 to 255')
  if ((maxLength & 0xffff) !== maxLength) return range('length', maxLength, '0 to 65535')
  return checkPort(port) ?? ((ttl & 0xff) === ttl ? undefined : range('ttl', ttl, '0 to 255'))
}

/** The same for timeouts; the kernel checks the rest. */
export function beyondTimeoutLimits({ tcp, tcpFin, udp }: Timeouts): IpvsRefusal | undefined {
  const beyond = [tcp, tcpFin, udp].find((value) => !isU32(value))
  return beyond === undefined ? undefined : range('timeout', beyond, '32 bits')
}

function checkService(key: ServiceKey): IpvsRefusal | undefined {
  // The kernel takes mark 0 for the service at 0.0.0.0:0.
  if (isMark(key))
    return isU32(key.fwmark) && key.fwmark > 0 ? undefined : range('firewall mark', key.fwmark, '1 to 2^32-1')
  return checkPort(key.port)
}

function checkSettings({ scheduler, engine, persistence, netmask }: ServiceSettings): IpvsRefusal | undefined {
  if (!isName(scheduler)) return name('scheduler', scheduler)
  if (engine !== undefined && !isName(engine)) return name('persistence engine', engine)
  if (!isU32(persistence) || persistence > longestPersistence) {
    return range('persistence', persistence, `0 to ${longestPersistence} seconds`)
  }
  return isU32(netmask) ? undefined : range('netmask', netmask, '32 bits')
}

function checkDestination(destination: Destination): IpvsRefusal | undefined {
  const { weight, upperThreshold: upper, lowerThreshold: lower, port, tunnel } = destination
  if ((weight | 0) !== weight) return range('weight', weight, '0 to 2^31-1')
  if (!isU32(upper)) return range('upper threshold', upper, '32 bits')
  if (!isU32(lower)) return range('lower threshold', lower, '32 bits')
  return checkPort(port) ?? (tunnel === undefined ? undefined : checkPort(tunnel.port))
}

function checkPort(port: number): IpvsRefusal | undefined {
  return (port & 0xffff) === port ? undefined : range('port', port, '0 to 65535')
}

const isU32 = (value: number): boolean => value >>> 0 === value

const isName = (text: string): boolean => text !== '' && Buffer.byteLength(text) <= longestName && !text.includes('\0')

const name = (what: string, value: string): IpvsRefusal => ({
  errno: 22,
  code: 'EINVAL',
  detail: `${what} "${value}" is not a name of 1 to ${longestName} bytes`,
})

const range = (what: string, value: number, allowed: string): IpvsRefusal => ({
  errno: 34,
  code: 'ERANGE',
  detail: `${what} ${value} is not within ${allowed}`,
})

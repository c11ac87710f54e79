import { first, maybe, option, phraseKind } from '../phrase.ts'
import { addressKind, integerKind, textKind } from '../kinds.ts'

/** An interface name as the kernel takes it. */
export const interfaceKind = textKind({ maxLength: 15, what: 'an interface name', syntax: 'IF' })

/** A path of the file system. */
export const pathKind = textKind({ what: 'a path', syntax: 'PATH' })

/** The name of something defined elsewhere. */
export const nameKind = textKind({ what: 'a name', syntax: 'NAME' })

/** `USER [GROUP]`. */
export const userKind = phraseKind(
  {
    user: first(textKind({ what: 'a user name', syntax: 'USER' })),
    group: maybe(textKind({ what: 'a group name', syntax: 'GROUP' })),
  },
  'USER [GROUP]',
)

/** `PATH [USER [GROUP]]`: a named pipe and who owns it. */
export const fifoKind = phraseKind(
  { path: first(pathKind), user: maybe(nameKind), group: maybe(nameKind) },
  'PATH [USER [GROUP]]',
)

/** `HOST [PORT]`; the host may be a name. */
export const hostPortKind = phraseKind(
  {
    host: first(textKind({ what: 'a host name or address', syntax: 'HOST' })),
    port: maybe(integerKind({ min: 1, max: 65535 })),
  },
  'HOST [PORT]',
)

/** `IF [inst NAME] [id N] [maxlen N] [port N] [ttl N] [group ADDR]`; the old form is `IF NAME [ID]`. */
export const syncDaemonKind = phraseKind(
  {
    interface: first(interfaceKind),
    instance: maybe(nameKind),
    syncId: maybe(integerKind({ min: 0, max: 255 })),
    inst: option('inst', nameKind),
    id: option('id', integerKind({ min: 0, max: 255 })),
    maxlen: option('maxlen', integerKind({ min: 1, max: 65507 })),
    port: option('port', integerKind({ min: 1, max: 65535 })),
    ttl: option('ttl', integerKind({ min: 1, max: 255 })),
    group: option('group', addressKind()),
  },
  'IF [inst NAME] [id N] [maxlen N] [port N] [ttl N] [group ADDR]',
)

const timeout = integerKind({ min: 0, max: 2_678_400 })

/** `[tcp N] [tcpfin N] [udp N]`, seconds; 0 keeps what the kernel has. */
export const timeoutsKind = phraseKind(
  { tcp: option('tcp', timeout), tcpfin: option('tcpfin', timeout), udp: option('udp', timeout) },
  '[tcp SECONDS] [tcpfin SECONDS] [udp SECONDS]',
)

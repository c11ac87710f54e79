import { familyOf } from '@ipvs-director/core'
import type { Kind } from '../kind.ts'
import { integerKind, textKind } from '../kinds.ts'
import { networkKind } from '../network.ts'
import { first, mark, option, type Parts, type Phrase, phraseKind } from '../phrase.ts'
import { interfaceKind, nameKind } from './shared.ts'

const broadcast = textKind({
  pattern: /^(?:[+-]|\d{1,3}(?:\.\d{1,3}){3})$/,
  what: 'an address, + or -',
  syntax: 'ADDR|+|-',
})

const address = {
  address: first(networkKind),
  brd: option(['brd', 'broadcast'], broadcast),
  dev: option('dev', interfaceKind),
  scope: option('scope', textKind({ what: 'a scope', syntax: 'SCOPE' })),
  label: option('label', textKind({ maxLength: 15, what: 'a label', syntax: 'LABEL' })),
  peer: option('peer', networkKind),
  home: mark('home'),
  nodad: mark('-nodad', 'nodad'),
  mngtmpaddr: mark('mngtmpaddr'),
  noprefixroute: mark('noprefixroute'),
  autojoin: mark('autojoin'),
  no_track: mark('no_track'),
  preferred_lft: option(
    'preferred_lft',
    textKind({ pattern: /^(?:\d+|forever)$/, what: 'seconds or forever', syntax: 'SECONDS|forever' }),
  ),
} as const satisfies Parts

const options =
  '[brd ADDR|+|-] [dev IF] [scope SCOPE] [label LABEL] [peer ADDR] [home] [-nodad] [mngtmpaddr] [noprefixroute] [autojoin] [no_track] [preferred_lft N|forever]'

/** What goes together in an address entry; keepalived drops entries that break these rules. */
function checked<T extends Phrase<typeof address>>(kind: Kind<T>): Kind<T> {
  return {
    ...kind,
    read(words) {
      const value = kind.read(words)
      if (value === undefined) return undefined
      const family = familyOf(value.address.address)
      if (family === 'inet6' && value.brd !== undefined)
        return words.bad('E022', 'an IPv6 address has no broadcast address')
      if ((value.brd === '+' || value.brd === '-') && (value.address.prefix ?? 32) > 30) {
        return words.bad('E022', `brd ${value.brd} needs a prefix length of at most 30`)
      }
      if (family === 'inet6' && (value.label !== undefined || value.scope !== undefined)) {
        words.warn('W047', 'label and scope have no effect on an IPv6 address')
      }
      return value
    },
  }
}

/** An entry of virtual_ipaddress. */
export const vipKind = checked(
  phraseKind({ ...address, use_vmac: mark('use_vmac') }, `ADDR[/LEN] ${options} [use_vmac]`),
)

/** An entry of static_ipaddress. */
export const staticAddressKind = checked(
  phraseKind({ ...address, track_group: option('track_group', nameKind) }, `ADDR[/LEN] ${options} [track_group NAME]`),
)

/** A table, priority or other number that iproute2 also takes by name. */
export const numberOrName = textKind({ what: 'a number or name', syntax: 'N|NAME' })

export const anyNumber = integerKind({ min: 0, max: 2 ** 32 - 1 })

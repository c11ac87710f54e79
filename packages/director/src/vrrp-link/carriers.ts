/** `linkbeat_interfaces`, `linkbeat_use_polling`: interfaces whose carrier is asked for once a second. */
import { seconds, type Clock, type Logger, type Timer } from '@ipvs-director/core'
import type { VrrpConfig } from '@ipvs-director/config'
import type { Linkbeat, LinkbeatKind } from '@ipvs-director/linux'

export interface Carriers {
  /** These and no others, from now on. */
  poll(wanted: VrrpConfig['linkbeat']): void
  /** Whether a polled interface has a carrier; undefined: it is not polled, or cannot be asked. */
  carrier(name: string): boolean | undefined
  close(): void
}

interface Polled {
  /** Undefined until a way of asking was found. */
  readonly kind: LinkbeatKind | undefined
  readonly carrier: boolean | undefined
}

/** keepalived's, too. */
const pace = seconds(1)
/** The most telling first. */
const everyKind: readonly LinkbeatKind[] = ['MII', 'ETHTOOL', 'IOCTL']

/** `changed` hears of an interface whose carrier came or went. */
export function createCarriers(
  open: () => Linkbeat,
  clock: Clock,
  logger: Logger,
  changed: (name: string) => void,
): Carriers {
  let linkbeat: Linkbeat | undefined
  let wanted: VrrpConfig['linkbeat'] = []
  let polled = new Map<string, Polled>()
  let timer: Timer | undefined

  function look(name: string, how: LinkbeatKind | undefined): Polled {
    linkbeat ??= open()
    const before = polled.get(name)?.kind
    // What worked is kept; without it the interface may be another one now, or was not there.
    for (const kind of new Set([
      ...(before === undefined ? [] : [before]),
      ...(how === undefined ? everyKind : [how]),
    ])) {
      const carrier = linkbeat.look(name, kind)
      if (carrier === undefined) continue
      if (kind !== before) logger.info('vrrp.linkbeat', `${name}: the link is polled by ${kind}`)
      return { kind, carrier }
    }
    if (!polled.has(name) && how !== undefined) {
      logger.warn('vrrp.linkbeat', `${name}: its link cannot be polled by ${how}, so the kernel's word counts`)
    }
    return { kind: undefined, carrier: undefined }
  }

  function round(): void {
    const before = polled
    polled = new Map()
    for (const { interface: name, how } of wanted) {
      const known = before.get(name)
      if (known !== undefined) polled.set(name, known)
      const now = look(name, how)
      polled.set(name, now)
      if (now.carrier !== known?.carrier) changed(name)
    }
    timer = wanted.length === 0 ? undefined : clock.after(pace, round)
  }

  return {
    poll(now) {
      const names = new Set(now.map(({ interface: name }) => name))
      const gone = wanted.flatMap(({ interface: name }) => (names.has(name) ? [] : [name]))
      wanted = now
      timer?.cancel()
      round()
      for (const name of gone) changed(name)
    },
    carrier: (name) => polled.get(name)?.carrier,
    close() {
      timer?.cancel()
      linkbeat?.close()
    },
  }
}

import { millis, type Millis, seconds } from '@ipvs-director/core'
import type { GlobalDefsText } from '../grammar/global-defs.ts'
import type { VrrpInstanceText } from '../grammar/vrrp.ts'
import type { Announcing } from '../vrrp-config.ts'
import { isWritten } from './text.ts'

/** The garp_* timers of an instance: its own, else the global ones, else keepalived's (reference/vrrp.md §4). */
export function resolveAnnouncing(
  text: VrrpInstanceText,
  globals: GlobalDefsText | undefined,
  strict: boolean,
): Announcing {
  const general = generalAnnouncing(globals)
  return {
    masterDelay: text.garpMasterDelay ?? general.masterDelay,
    masterRepeat: text.garpMasterRepeat ?? general.masterRepeat,
    masterRefresh: text.garpMasterRefresh ?? general.masterRefresh,
    masterRefreshRepeat: text.garpMasterRefreshRepeat ?? general.masterRefreshRepeat,
    lowerPriorityDelay: strict
      ? seconds(0)
      : (text.garpLowerPrioDelay ?? globals?.vrrpGarpLowerPrioDelay ?? general.masterDelay),
    lowerPriorityRepeat: strict
      ? 0
      : (text.garpLowerPrioRepeat ?? globals?.vrrpGarpLowerPrioRepeat ?? general.masterRepeat),
    extraInterfaces: extra(text.garpExtraIf ?? text.vmacGarpIntvl ?? globals?.vrrpGarpExtraIf ?? old(globals)),
  }
}

type General = Pick<Announcing, 'masterDelay' | 'masterRepeat' | 'masterRefresh' | 'masterRefreshRepeat'>

/** `vrrp_min_garp` stands in for what is not written. */
function generalAnnouncing(globals: GlobalDefsText | undefined): General {
  const least = globals?.vrrpMinGarp === true
  const given = (key: keyof GlobalDefsText): boolean => globals !== undefined && isWritten(globals, key)
  const time = (key: 'vrrpGarpMasterDelay' | 'vrrpGarpMasterRefresh', usual: Millis): Millis =>
    globals !== undefined && (given(key) || !least) ? globals[key] : least ? millis(0) : usual
  const count = (key: 'vrrpGarpMasterRepeat' | 'vrrpGarpMasterRefreshRepeat', usual: number): number =>
    globals !== undefined && (given(key) || !least) ? globals[key] : least ? 1 : usual
  return {
    masterDelay: time('vrrpGarpMasterDelay', seconds(5)),
    masterRepeat: count('vrrpGarpMasterRepeat', 5),
    masterRefresh: time('vrrpGarpMasterRefresh', seconds(0)),
    masterRefreshRepeat: count('vrrpGarpMasterRefreshRepeat', 1),
  }
}

type ExtraText = { readonly how: 'all' | undefined; readonly seconds: number | undefined } | undefined

function extra(text: ExtraText): Announcing['extraInterfaces'] {
  if (text?.seconds === undefined || text.seconds === 0) return undefined
  return { all: text.how === 'all', interval: seconds(text.seconds) }
}

/** `vrrp_vmac_garp_intvl [all] N`, the old name. */
function old(globals: GlobalDefsText | undefined): ExtraText {
  const words = globals?.vrrpVmacGarpIntvl
  const last = Number(words?.at(-1))
  return words === undefined || !Number.isInteger(last)
    ? undefined
    : { how: words[0] === 'all' ? 'all' : undefined, seconds: last }
}

import type { GlobalDefsText } from '../grammar/global-defs.ts'
import type { VrrpInstanceText } from '../grammar/vrrp.ts'
import { type Read, written } from '../read.ts'
import type { Say } from './say.ts'
import { isStrict, priorityOf, versionOf } from './text.ts'

/** What vrrp_strict takes away or changes (reference/vrrp.md §7), each told where it was written. */
export function strictRules(text: VrrpInstanceText & Read, globals: GlobalDefsText | undefined, say: Say): void {
  if (!isStrict(text, globals)) return
  const owner = priorityOf(text) === 255
  if (text.authentication !== undefined) say('W061', 'vrrp_strict does not allow authentication', 'authentication')
  if (text.unicastPeer.length > 0) say('W061', 'vrrp_strict does not allow unicast_peer', 'unicast_peer')
  if (!owner && text.state === 'MASTER' && text.priority !== undefined)
    say('W081', 'vrrp_strict: only an owner (priority 255) begins as MASTER; it begins as BACKUP', 'state')
  if (owner && text.state === 'BACKUP') say('W081', 'vrrp_strict: an owner begins as MASTER', 'state')
  const without = (keyword: string, on: boolean, why: string): void => {
    if (on) say('W081', `vrrp_strict: ${keyword} ${why}`, keyword)
  }
  without('preempt_delay', (text.preemptDelay ?? 0) > 0, 'has no effect')
  without('down_timer_adverts', (text.downTimerAdverts ?? 3) !== 3, 'is 3')
  without('lower_prio_no_advert', text.lowerPrioNoAdvert === false, 'is on')
  without('higher_prio_send_advert', text.higherPrioSendAdvert === true, 'is off')
  without('owner_ignore_adverts', text.ownerIgnoreAdverts === false, 'is on')
  without('garp_lower_prio_repeat', (text.garpLowerPrioRepeat ?? 0) > 0, 'is 0')
  without('garp_lower_prio_delay', (text.garpLowerPrioDelay ?? 0) > 0, 'is 0')
  without('accept', text.accept && !owner && versionOf(text, globals) === 2, 'is not allowed with VRRPv2')
  without('vmac_xmit_base', text.vmacXmitBase, 'has no effect')
  without('use_vmac', text.useVmac?.mac !== undefined, 'takes no MAC address of its own')
  without('auth_hmac', text.authHmac?.mode !== undefined && text.authHmac.mode !== 'enforce', 'has mode enforce')
  if (!owner && !text.accept && !text.noAccept)
    say('N013', 'vrrp_strict: the addresses do not answer, not even to ping (no_accept)', placeOfStrict(text))
}

const placeOfStrict = (text: Read): string | undefined =>
  text[written].body?.some(({ keyword }) => keyword === 'strict_mode') === true ? 'strict_mode' : undefined

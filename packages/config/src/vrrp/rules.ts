import type { VirtualServer } from '../config.ts'
import type { Remarks } from '../diagnostics.ts'
import type { GlobalDefsText } from '../grammar/global-defs.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from '../grammar/vrrp.ts'
import { damaged, placeOfKeyword, type Read, written } from '../read.ts'
import type { Statement } from '../statement.ts'
import type { ScriptText } from './definitions.ts'
import { addressRules, routeRules, unicastRules } from './rules-addresses.ts'
import { sameAddress, sameVrid } from './rules-clashes.ts'
import { groupRules } from './rules-groups.ts'
import { arbitrationRules, hmacRules, serviceRules } from './rules-own.ts'
import { strictRules } from './rules-strict.ts'
import type { Say } from './say.ts'
import { familyOfInstance, isStrict, priorityOf, versionOf } from './text.ts'

/** What the VRRP rules look at. */
export interface VrrpText {
  readonly globals: GlobalDefsText | undefined
  readonly instances: readonly (VrrpInstanceText & Read)[]
  readonly groups: readonly (VrrpSyncGroupText & Read)[]
  readonly scripts: readonly ScriptText[]
  readonly virtualServers: readonly VirtualServer[]
}

/**
 * Rules across the keywords of VRRP blocks: known ways to an outage (reference/vrrp.md, keepalived's own checks).
 * Answers the blocks that cannot run. Weights are looked at where they are resolved.
 */
export function vrrpRules(text: VrrpText, remarks: Remarks): readonly Statement[] {
  const { globals, instances, groups, virtualServers } = text
  const whole = instances.filter((each) => each[damaged] !== true)
  const broken: Statement[] = []
  const judge = (block: Read, rules: (say: Say) => void): void => {
    const { errors } = remarks
    rules((code, message, keyword) => {
      remarks.add(code, placeOfKeyword(block, keyword), message)
    })
    if (remarks.errors > errors) broken.push(block[written])
  }
  for (const instance of whole) {
    judge(instance, (say) => {
      instanceRules(instance, globals, say)
      hmacRules(instance, say)
      serviceRules(instance, virtualServers, say)
      arbitrationRules(instance, say)
    })
  }
  broken.push(...sameVrid(whole, globals, remarks))
  sameAddress(whole, remarks)
  const byName = new Map(whole.map((each) => [each.header, each]))
  const taken = new Map<string, string>()
  for (const group of groups) {
    if (group[damaged] === true) continue
    groupRules(group, byName, taken, remarks)
    judge(group, (say) => {
      serviceRules(group, virtualServers, say)
    })
  }
  scriptRules(text, remarks)
  return broken
}

/** Scripts nobody asks for, and such as are still running when they should begin again. */
function scriptRules({ scripts, instances, groups }: VrrpText, remarks: Remarks): void {
  const used = new Set([...instances, ...groups].flatMap(({ trackScript }) => trackScript.map(({ name }) => name)))
  // A name that is not defined was probably meant for the script nobody names.
  const misspelt = [...used].some((name) => !scripts.some(({ header }) => header === name))
  for (const script of scripts) {
    if (script[damaged] === true) continue
    if (!used.has(script.header) && !misspelt) {
      remarks.add('W080', placeOfKeyword(script), `no instance follows vrrp_script ${script.header}`)
    }
    if (script.timeout !== undefined && script.timeout > script.interval) {
      const text = `the script may take ${script.timeout / 1000} s, longer than the ${script.interval / 1000} s between two runs`
      remarks.add('W050', placeOfKeyword(script, 'timeout'), text)
    }
  }
}

function instanceRules(instance: VrrpInstanceText & Read, globals: GlobalDefsText | undefined, say: Say): void {
  const version = versionOf(instance, globals)
  if (instance.interface === undefined && (instance.unicastPeer.length === 0 || instance.unicastSrcIp === undefined)) {
    say('E065', `vrrp_instance ${instance.header} needs an interface (or unicast_peer and unicast_src_ip)`)
  }
  preemptRules(instance, isStrict(instance, globals), say)
  authenticationRules(instance, version, say)
  strictRules(instance, globals, say)
  const interval = instance.advertInt / 1000
  if (version === 2 && !Number.isInteger(interval))
    say('W068', 'VRRPv2 has whole seconds only: advert_int is rounded', 'advert_int')
  if (version === 3 && interval <= 40.95 && instance.advertInt % 10 !== 0)
    say('W068', 'VRRPv3 counts hundredths of a second: advert_int is rounded', 'advert_int')
  if (version === 3 && interval > 40.95) say('W068', 'VRRPv3 has at most 40.95 s between advertisements', 'advert_int')
  if (version === 2 && familyOfInstance(instance) === 'inet6') say('E065', 'VRRPv2 has no IPv6', 'version')
  addressRules(instance, version, isStrict(instance, globals), say)
  routeRules(instance, say)
  unicastRules(instance, say)
}

function preemptRules(instance: VrrpInstanceText, strict: boolean, say: Say): void {
  const delayed = (instance.preemptDelay ?? 0) > 0
  if (instance.nopreempt && instance.state === 'MASTER')
    say('W060', 'nopreempt needs "state BACKUP": with MASTER it has no effect', 'nopreempt')
  else if (instance.nopreempt && priorityOf(instance) === 255)
    say('W063', 'nopreempt has no effect with priority 255: an owner takes over', 'nopreempt')
  if (instance.nopreempt && delayed) say('W063', 'preempt_delay has no effect with nopreempt', 'preempt_delay')
  else if (delayed && instance.state === 'MASTER' && !strict)
    say('W063', 'preempt_delay has no effect with "state MASTER"', 'preempt_delay')
  if (instance.nopreempt && instance.preempt) say('W063', 'preempt and nopreempt contradict each other', 'preempt')
  if (instance.timerExpiredBackup !== undefined && !instance.nopreempt)
    say('W063', 'timer_expired_backup has no effect without nopreempt', 'timer_expired_backup')
  if (instance.accept && instance.noAccept) say('W063', 'accept and no_accept contradict each other', 'no_accept')
  if (instance.state === 'MASTER' && priorityOf(instance) !== 255 && instance.authentication?.authType === 'AH')
    say('W063', 'with auth_type AH only an owner begins as MASTER: it begins as BACKUP', 'state')
  if (instance.state === 'MASTER' && instance.priority === undefined)
    say('W073', 'state MASTER without a priority means 255, the owner of the addresses', 'state')
}

function authenticationRules({ authentication: auth, authHmac }: VrrpInstanceText, version: 2 | 3, say: Say): void {
  if (auth === undefined) return
  if (version === 3) say('W070', 'VRRPv3 has no authentication: it is left out', 'authentication')
  else if (authHmac !== undefined) say('W063', 'auth_hmac takes the place of authentication', 'authentication')
  else if (auth.authPass === undefined || auth.authType === undefined) {
    const missing = auth.authPass === undefined ? 'auth_pass' : 'auth_type'
    say('W071', `there is no authentication without ${missing}`, 'authentication')
  }
  if (auth.authPass !== undefined && Buffer.byteLength(auth.authPass) > 8)
    say('W062', 'only the first eight characters of auth_pass count', 'authentication')
}

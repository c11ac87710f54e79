import type { Family } from '@ipvs-director/core'
import { familyOf } from '@ipvs-director/core'
import type { Place } from '../place.ts'
import type { Values } from '../declare.ts'
import type { GlobalDefsText } from '../grammar/global-defs.ts'
import type { garpGroup, trackGroup } from '../grammar/static.ts'
import type { VrrpInstanceText, VrrpSyncGroupText } from '../grammar/vrrp.ts'
import { placeOfKeyword, type Read, written } from '../read.ts'
import { placeOf, type Statement } from '../statement.ts'
import type { BfdText, ScriptText, TrackFileText, TrackProcessText } from './definitions.ts'
import type { AddressText, RouteText, RuleText } from './network.ts'

/** The top level as far as VRRP goes. */
export interface VrrpRootText {
  readonly globalDefs: GlobalDefsText | undefined
  readonly vrrpInstances: readonly (VrrpInstanceText & Read)[]
  readonly vrrpSyncGroups: readonly (VrrpSyncGroupText & Read)[]
  readonly vrrpScripts: readonly ScriptText[]
  readonly vrrpTrackProcesses: readonly TrackProcessText[]
  readonly trackFiles: readonly TrackFileText[]
  readonly vrrpTrackFiles: readonly TrackFileText[]
  readonly bfdInstances: readonly BfdText[]
  readonly staticIpAddress: readonly AddressText[]
  readonly staticRoutes: readonly RouteText[]
  readonly staticRules: readonly RuleText[]
  readonly trackGroups: readonly (Values<typeof trackGroup> & Read)[]
  readonly garpGroups: readonly (Values<typeof garpGroup> & Read)[]
  readonly linkbeatUsePolling: boolean
  readonly linkbeatInterfaces: readonly {
    readonly interface: string
    readonly how: 'MII' | 'ETHTOOL' | 'IOCTL' | undefined
  }[]
  readonly interfaceUpDownDelays: readonly {
    readonly interface: string
    readonly down: number
    readonly up: number | undefined
  }[]
}

/** The family an instance advertises in: that of its first address, else of its peers. */
export function familyOfInstance(instance: VrrpInstanceText): Family {
  const first =
    instance.virtualIpaddress[0]?.address.address ?? instance.unicastPeer[0]?.address ?? instance.unicastSrcIp
  return instance.nativeIpv6 || (first !== undefined && familyOf(first) === 'inet6') ? 'inet6' : 'inet'
}

/** The version an instance speaks. */
export function versionOf(instance: VrrpInstanceText, globals: GlobalDefsText | undefined): 2 | 3 {
  const version = instance.version ?? (familyOfInstance(instance) === 'inet6' ? 3 : (globals?.vrrpVersion ?? 2))
  return version === 3 ? 3 : 2
}

/** Priority as configured: 255 where a MASTER names none. */
export const priorityOf = (instance: VrrpInstanceText): number =>
  instance.priority ?? (instance.state === 'MASTER' ? 255 : 100)

export const isStrict = (instance: VrrpInstanceText, globals: GlobalDefsText | undefined): boolean =>
  instance.strictMode ?? globals?.vrrpStrict ?? false

/** Where each entry of a block's list stands, when it has none left out for an error. */
export function entryPlaces(block: Read, keyword: string): (index: number) => Place {
  const lists = (block[written].body ?? []).filter((child) => child.field?.name === keyword)
  return placesIn(lists, placeOfKeyword(block, keyword))
}

/** The places of the entries of list statements; `otherwise` beyond their end. */
export function placesIn(lists: readonly Statement[], otherwise: Place): (index: number) => Place {
  const entries = lists.flatMap((list) => list.body ?? [])
  return (index) => {
    const entry = entries[index]
    return entry === undefined ? otherwise : placeOf(entry)
  }
}

/** Whether a keyword is written in a block: what is not is inherited from the block's defaults. */
export const isWritten = (block: object, key: string): boolean => Object.hasOwn(block, key)

import { millis, seconds } from '@ipvs-director/core'
import type { GlobalDefsText } from '../grammar/global-defs.ts'
import { scheduling } from '../services.ts'
import type { GarpGroup, VrrpGlobals } from '../vrrp-config.ts'
import type { VrrpRootText } from './text.ts'

/** What global_defs says of VRRP, with keepalived's defaults. */
export function resolveVrrpGlobals(text: GlobalDefsText | undefined): VrrpGlobals {
  const dynamic = text?.dynamicInterfaces
  const [input, output] = text?.vrrpIptables ?? []
  const { name, ...rest } = scheduling(text, 'vrrp', undefined)
  return {
    defaultInterface: text?.defaultInterface ?? 'eth0',
    dynamicInterfaces: dynamic === undefined ? false : dynamic.how === undefined ? 'missing' : 'changes',
    startupDelay: text?.vrrpStartupDelay ?? seconds(0),
    delayAfterBoot: text?.vrrpDelayAfterBoot ?? seconds(0),
    garpInterval: text?.vrrpGarpInterval ?? seconds(0),
    naInterval: text?.vrrpGnaInterval ?? seconds(0),
    logUnknownVrids: text?.logUnknownVrids ?? false,
    disableLocalIgmp: text?.disableLocalIgmp ?? false,
    vmacPrefix: text?.vmacPrefix ?? 'vrrp',
    vmacAddressPrefix: text?.vmacAddrPrefix ?? text?.vmacPrefix ?? 'vrrp',
    iptables:
      text?.vrrpIptables === undefined || text.nftables !== undefined
        ? undefined
        : { input: input ?? 'INPUT', output: input === undefined ? 'OUTPUT' : output },
    ipsets: text?.vrrpIpsets === undefined ? undefined : text.vrrpIpsets.length === 0 ? false : text.vrrpIpsets,
    nftables: {
      table: text?.nftables === undefined || text.nftables === '' ? 'keepalived' : text.nftables,
      priority: text?.nftablesPriority ?? -1,
      interfaceIndexes: text?.nftablesIfindex ?? false,
      counters: text?.nftablesCounters ?? false,
    },
    routeFolders: { own: text?.iprouteEtcDir, shipped: text?.iprouteUsrDir },
    fifoStatesOnReload: text?.fifoWriteVrrpStatesOnReload ?? false,
    ...rest,
    processName: name,
    mailFaults: text?.noEmailFaults !== true,
  }
}

/** Each garp_group that has an interval and an interface. */
export function resolveGarpGroups({ garpGroups }: Pick<VrrpRootText, 'garpGroups'>): readonly GarpGroup[] {
  return garpGroups.flatMap((text) => {
    const interfaces = [...(text.interface === undefined ? [] : [text.interface]), ...text.interfaces]
    if (interfaces.length === 0 || (text.garpInterval === undefined && text.gnaInterval === undefined)) return []
    return [{ interfaces, garpInterval: text.garpInterval ?? millis(0), naInterval: text.gnaInterval ?? millis(0) }]
  })
}

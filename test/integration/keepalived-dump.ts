import type { ProtectedAddress, Tracked, VrrpConfig, VrrpInstance } from '@ipvs-director/config'

/** What one of the programs says of VRRP: block, setting and, in a list, index to the value as keepalived writes it. */
export type Said = ReadonlyMap<string, string>

const blocks = /^ (VRRP Instance|VRRP Sync Group|VRRP Script) = ([^,]+)/

/** The lists of keepalived's dump: heading, name here. */
const lists: readonly (readonly [RegExp, string])[] = [
  [/^Virtual IP \(/, 'address'],
  [/^Virtual IP Excluded/, 'excluded'],
  [/^Unicast Peer/, 'peer'],
  [/^Tracked interfaces/, 'interface'],
  [/^Tracked scripts/, 'script'],
  [/^VRRP member instances/, 'member'],
]

const settings: readonly (readonly [RegExp, string])[] = [
  [/^VRRP Version = (\d)/, 'version'],
  [/^Interface = (\S+)/, 'on'],
  [/^Multicast address ([^\s,]+)/, 'group'],
  [/^Gratuitous ARP delay = (\d+)/, 'garp_master_delay'],
  [/^Gratuitous ARP repeat = (\d+)/, 'garp_master_repeat'],
  [/^Gratuitous ARP refresh = (\d+)/, 'garp_master_refresh'],
  [/^Gratuitous ARP refresh repeat = (\d+)/, 'garp_master_refresh_repeat'],
  [/^Gratuitous ARP lower priority delay = (\d+)/, 'garp_lower_prio_delay'],
  [/^Gratuitous ARP lower priority repeat = (\d+)/, 'garp_lower_prio_repeat'],
  [/^Down timer adverts = (\d+)/, 'down_timer_adverts'],
  [/^Send advert after receive lower priority advert = (\w+)/, 'answers lower'],
  [/^Send advert after receive higher priority advert = (\w+)/, 'answers higher'],
  [/^Virtual Router ID = (\d+)/, 'virtual_router_id'],
  [/^Priority = (\d+)/, 'priority'],
  [/^Advert interval = (\d+ \S+)/, 'advert_int'],
  [/^Accept = (\w+)/, 'accept'],
  [/^Preempt = (\w+)/, 'preempt'],
  [/^Authentication type = (\w+)/, 'auth_type'],
  [/^Password = (.*)/, 'auth_pass'],
  [/^Using smtp notification = (\w+)/, 'smtp_alert'],
  [/^Interval = (\S+)/, 'interval'],
  [/^Weight = (.*)/, 'weight'],
  [/^Rise = (\d+)/, 'rise'],
  [/^Fall = (\d+)/, 'fall'],
]

/** The VRRP part of keepalived's dump (SIGUSR1, /tmp/keepalived.data), as far as it is compared. */
export function readDump(text: string): Said {
  const said = new Map<string, string>()
  let block = ''
  let list: string | undefined
  let index = 0
  for (const line of text.split('\n')) {
    const begun = blocks.exec(line)
    if (line.startsWith('------<')) block = ''
    else if (begun !== null) block = `${begun[1] ?? ''} ${begun[2] ?? ''}`
    if (begun !== null || block === '') {
      list = undefined
      continue
    }
    const entry = line.trim()
    if (list !== undefined && line.startsWith('     ')) {
      said.set(`${block} ${list} ${index++}`, plainEntry(entry))
      continue
    }
    list = lists.find(([heading]) => heading.test(entry))?.[1]
    index = 0
    for (const [pattern, name] of settings) {
      const found = pattern.exec(entry)?.[1]
      if (found !== undefined) said.set(`${block} ${name}`, found)
    }
  }
  return said
}

/** Without what tells the state of an entry, and with what stands for nothing left out. */
const plainEntry = (entry: string): string =>
  entry.replace(/ (?:set|deprecated|preferred_lft \S+)(?= |$)/g, '').replace(' min_ttl 0 max_ttl 255', '')

/** The same of our effective configuration. */
export function sayOurs({ instances, syncGroups, scripts }: VrrpConfig): Said {
  const said = new Map<string, string>()
  const add = (
    block: string,
    values: Readonly<Record<string, string | number | readonly string[] | undefined>>,
  ): void => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) continue
      if (typeof value === 'object') for (const [i, each] of value.entries()) said.set(`${block} ${name} ${i}`, each)
      else said.set(`${block} ${name}`, String(value))
    }
  }
  for (const each of instances) add(`VRRP Instance ${each.name}`, instanceValues(each))
  for (const { name, instances: members, notify } of syncGroups)
    add(`VRRP Sync Group ${name}`, { member: members, smtp_alert: yes(notify.smtpAlert) })
  for (const { name, interval, weight, reverse, rise, fall } of scripts)
    add(`VRRP Script ${name}`, { interval: interval / 1000, weight: withReverse(weight, reverse), rise, fall })
  return said
}

function instanceValues(each: VrrpInstance): Readonly<Record<string, string | number | readonly string[] | undefined>> {
  const { announcing, auth, track } = each
  return {
    version: each.version,
    on: each.interface,
    group: each.unicastPeers.length > 0 ? undefined : each.multicastGroup,
    garp_master_delay: announcing.masterDelay / 1000,
    garp_master_repeat: announcing.masterRepeat,
    garp_master_refresh: announcing.masterRefresh / 1000,
    garp_master_refresh_repeat: announcing.masterRefreshRepeat,
    garp_lower_prio_delay: announcing.lowerPriorityDelay / 1000,
    garp_lower_prio_repeat: announcing.lowerPriorityRepeat,
    down_timer_adverts: each.downTimerAdverts,
    'answers lower': String(!each.lowerPriorityNoAdvert),
    'answers higher': String(each.higherPrioritySendAdvert),
    virtual_router_id: each.virtualRouterId,
    priority: each.priority,
    advert_int: each.version === 2 ? `${each.advertInterval / 1000} sec` : `${each.advertInterval} milli-sec`,
    accept: enabled(each.accept),
    preempt: enabled(each.preempt),
    auth_type: each.version === 3 ? undefined : auth === undefined ? 'none' : auth.type === 'AH' ? 'IPSEC_AH' : 'SIMPLE_PASSWORD', // prettier-ignore
    auth_pass: auth?.type === 'PASS' ? auth.password.slice(0, 8) : undefined,
    smtp_alert: yes(each.notify.smtpAlert),
    address: each.addresses.map(addressText),
    excluded: each.excluded.map(addressText),
    peer: each.unicastPeers.map(({ address, minTtl, maxTtl }) =>
      minTtl === undefined && maxTtl === undefined
        ? address
        : `${address} min_ttl ${minTtl ?? 0} max_ttl ${maxTtl ?? 255}`,
    ),
    interface: track.interfaces.map(trackedText),
    script: track.scripts.map(trackedText),
  }
}

const yes = (on: boolean): string => (on ? 'yes' : 'no')
const enabled = (on: boolean): string => (on ? 'enabled' : 'disabled')
const withReverse = (weight: number, reverse: boolean): string => `${weight}${reverse ? ' reverse' : ''}`
const trackedText = ({ name, weight, reverse }: Tracked): string => `${name} weight ${withReverse(weight, reverse)}`
const scopes: Readonly<Record<number, string>> = { 0: 'global', 253: 'link', 254: 'host' }

function addressText({ address, prefix, broadcast, interface: on, scope, label }: ProtectedAddress): string {
  const length = prefix === (address.includes(':') ? 128 : 32) ? '' : `/${prefix}`
  const wide = typeof scope === 'number' ? (scopes[scope] ?? String(scope)) : scope
  const parts = [`${address}${length}`, broadcast && `brd ${broadcast}`, `dev ${on ?? ''}`, `scope ${wide}`]
  return [...parts, label && `label ${label}`].filter((part) => part !== undefined && part !== '').join(' ')
}

import { seconds } from '@ipvs-director/core'
import { resolveAlarms } from './alarms.ts'
import type { Globals } from './config.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'

/** The settings of the whole program with their defaults; undefined: there is no global_defs. */
export function resolveGlobals(text: GlobalDefsText | undefined): Globals {
  const { tcp = 0, tcpfin = 0, udp = 0 } = text?.lvsTimeouts ?? {}
  const stop = text?.lvsFlushOnStop
  const user = text?.scriptUser
  const alarms = resolveAlarms(text)
  return {
    routerId: text?.routerId,
    scriptUser:
      user === undefined ? undefined : { user: user.user, ...(user.group === undefined ? {} : { group: user.group }) },
    enableScriptSecurity: text?.enableScriptSecurity ?? false,
    setSupplementaryGroups: text?.setSupplementaryGroups ?? false,
    useSymlinkPaths: text?.useSymlinkPaths ?? false,
    lvsFlush: text?.lvsFlush ?? false,
    lvsFlushOnStop: stop === undefined ? false : (stop.how ?? 'all'),
    lvsTimeouts: text?.lvsTimeouts === undefined ? undefined : { tcp, tcpFin: tcpfin, udp },
    checkerLogAllFailures: text?.checkerLogAllFailures ?? false,
    rsInitNotifies: text?.rsInitNotifies ?? false,
    reconcileInterval: text?.reconcileInterval ?? seconds(30),
    ...(text?.dataPathMarks === undefined ? {} : { dataPathMarks: text.dataPathMarks }),
    ...(text?.nftablesIpvs === undefined ? {} : { groupMarks: groupMarksOf(text, text.nftablesIpvs) }),
    ...(alarms === undefined ? {} : { alarms }),
  }
}

const groupMarksOf = (text: GlobalDefsText, table: string): NonNullable<Globals['groupMarks']> => ({
  table: table === '' ? 'keepalived_ipvs' : table,
  priority: text.nftablesIpvsPriority ?? -1,
  first: text.nftablesIpvsStartFwmark ?? 1000,
  counters: text.nftablesCounters,
})

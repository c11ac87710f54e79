import { seconds } from '@ipvs-director/core'
import type { Script } from './place.ts'
import type { GlobalDefsText } from './grammar/global-defs.ts'
import type { ProcessSettings, Scheduling, SnmpSettings, SyncDaemon } from './service-config.ts'
import type { VrrpInstance } from './vrrp-config.ts'

type Text = GlobalDefsText | undefined

/** `lvs_sync_daemon`, in its new or old form, or the deprecated keyword of an instance. */
export function resolveSyncDaemon(text: Text, instances: readonly VrrpInstance[]): SyncDaemon | undefined {
  const given = text?.lvsSyncDaemon
  const vridOf = (name: string | undefined): number | undefined =>
    instances.find((each) => each.name === name)?.virtualRouterId
  if (given !== undefined) {
    const instance = given.inst ?? given.instance
    // What it follows was left out: it would be master for ever, or never.
    if (instance !== undefined && vridOf(instance) === undefined) return undefined
    return {
      interface: given.interface,
      instance,
      id: given.id ?? given.syncId ?? vridOf(instance) ?? 0,
      maxLength: given.maxlen,
      port: given.port,
      ttl: given.ttl,
      group: given.group,
    }
  }
  const old = instances.find((each) => each.lvsSyncDaemonInterface !== undefined)
  if (old?.lvsSyncDaemonInterface === undefined) return undefined
  return {
    interface: old.lvsSyncDaemonInterface,
    instance: old.name,
    id: old.virtualRouterId,
    maxLength: undefined,
    port: undefined,
    ttl: undefined,
    group: undefined,
  }
}

/** `enable_snmp_rfc` means both RFCs. */
export function resolveSnmp(text: Text, top: Pick<TopText, 'linkbeatUsePolling'>): SnmpSettings {
  const age = text?.snmpVsStatsUpdateInterval ?? seconds(5)
  return {
    socket: text?.snmpSocket,
    traps: text?.enableTraps ?? false,
    vrrp: text?.enableSnmpVrrp ?? false,
    checker: text?.enableSnmpChecker ?? false,
    rfcV2: text?.enableSnmpRfc === true || text?.enableSnmpRfcv2 === true,
    rfcV3: text?.enableSnmpRfc === true || text?.enableSnmpRfcv3 === true,
    virtualServerAge: age,
    realServerAge: text?.snmpRsStatsUpdateInterval ?? age,
    shown: {
      smtpAlert: text?.smtpAlert,
      smtpAlertVrrp: text?.smtpAlertVrrp,
      smtpAlertChecker: text?.smtpAlertChecker,
      linkbeatPolling: top.linkbeatUsePolling,
      v3ChecksumAsV2: text?.v3ChecksumAsV2 ?? false,
    },
  }
}

/** What stands at the top level beside the blocks. */
export interface TopText {
  readonly instance: string | undefined
  readonly netNamespace: string | undefined
  readonly netNamespaceIpvs: string | undefined
  readonly usePidDir: boolean
  readonly childWaitTime: number
  readonly linkbeatUsePolling: boolean
}

export function resolveProcess(top: TopText, text: Text): ProcessSettings {
  const run = (script: Script | undefined, limit: number | undefined): ProcessSettings['startup'] =>
    script === undefined ? undefined : { script, timeout: seconds(limit ?? 10) }
  return {
    instance: top.instance,
    netNamespace: top.netNamespace,
    ipvsNamespace: top.netNamespaceIpvs,
    usePidDirectory: top.usePidDir,
    childWait: seconds(top.childWaitTime),
    startup: run(text?.startupScript, text?.startupScriptTimeout),
    shutdown: run(text?.shutdownScript, text?.shutdownScriptTimeout),
    checker: scheduling(text, 'checker', text?.lvsProcessName),
    bfd: scheduling(text, 'bfd', undefined),
    umask: umaskOf(text?.umask),
    name: text?.processName ?? (text?.processNames === true ? 'ipvs-director' : undefined),
    files: {
      reloadMarker: text?.reloadFile,
      reloadTime:
        text?.reloadTimeFile === undefined ? undefined : { path: text.reloadTimeFile, repeat: text.reloadRepeat },
      configCopies: text?.configSaveDir,
      stateDump: text?.stateDumpFile,
      dumpNamesInstance: text?.dataUseInstance ?? false,
    },
  }
}

/** `vrrp_priority`, `checker_no_swap` and the like; `name`: the process's name by another keyword. */
export function scheduling(text: Text, process: 'vrrp' | 'checker' | 'bfd', name: string | undefined): Scheduling {
  return {
    niceness: text?.[`${process}Priority`] ?? 0,
    lockMemory: text?.[`${process}NoSwap`] ?? false,
    realtimePriority: text?.[`${process}RtPriority`] ?? 0,
    realtimeLimit: text?.[`${process}RlimitRttime`] ?? text?.[`${process}RlimitRtime`] ?? 10_000,
    processors: (text?.[`${process}CpuAffinity`] ?? [])
      .map(Number)
      .filter((each) => Number.isInteger(each) && each >= 0),
    name: text?.[`${process}ProcessName`] ?? name,
  }
}

const who: Readonly<Record<string, number>> = { U: 6, USR: 6, G: 3, GRP: 3, O: 0, OTH: 0 }
const what: Readonly<Record<string, number>> = { R: 4, W: 2, X: 1, RWX: 7 }

/** Octal with a leading 0, decimal, or names as in sys/stat.h. */
function umaskOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) return Number.parseInt(text, text.startsWith('0') ? 8 : 10)
  return text.split('|').reduce((mask, name) => {
    const [, bits = '', whose = ''] = /^I(RWX|[RWX])(USR|GRP|OTH|[UGO])$/.exec(name) ?? []
    return mask | ((what[bits] ?? 0) << (who[whose] ?? 0))
  }, 0)
}

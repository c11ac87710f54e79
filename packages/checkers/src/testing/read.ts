import { filesInMemory, loadConfig, type CheckerConfig } from '@ipvs-director/config'
import { checkers } from '../checkers.ts'

/** What stands around a checker in the text that is read. */
export interface Around {
  readonly top?: string
  readonly virtualServer?: string
  readonly realServer?: string
}

export interface ReadChecker {
  /** Undefined where nothing could be read of it. */
  readonly checker: CheckerConfig | undefined
  /** All that the block stands for. */
  readonly checkers: readonly CheckerConfig[]
  /** `CODE text` of every remark. */
  readonly remarks: readonly string[]
  /** The line that each of them points at. */
  readonly lines: readonly string[]
}

/** Reads one checker block as it stands in a configuration, by the real reader. */
export async function readChecker(block: string, around: Around = {}): Promise<ReadChecker> {
  const text = `${around.top ?? ''}
virtual_server 192.0.2.1 80 {
  delay_loop 6
  protocol TCP
  lb_algo rr
  lb_kind NAT
  ${around.virtualServer ?? ''}
  real_server 10.0.0.1 80 {
    ${around.realServer ?? ''}
    ${block}
  }
}`
  const { config, diagnostics } = await loadConfig('/test.conf', {
    checkers,
    read: filesInMemory(new Map([['/test.conf', text]])),
    configId: 'test',
  })
  const found = config?.virtualServers[0]?.realServers[0]?.checkers ?? []
  return {
    checker: found[0],
    checkers: found,
    remarks: diagnostics.map((remark) => `${remark.code} ${remark.text}`),
    lines: diagnostics.map(({ excerpt = '' }) => excerpt.trim()),
  }
}

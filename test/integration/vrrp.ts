import { checkers } from '@ipvs-director/checkers'
import { filesInMemory, loadConfig, renderDiagnostic } from '@ipvs-director/config'
import { loggerTo, seconds, systemClock, type Clock } from '@ipvs-director/core'
import { withinNamespace } from '@ipvs-director/linux'
import type { VrrpEvent } from '@ipvs-director/vrrp'
import { startVrrpProcess, type VrrpProcess, type VrrpWork } from 'ipvs-director'
import { join } from 'node:path'
import { until, type Host, type LabProcess } from '../lab/index.ts'
import { root } from '../lab/root.ts'

export { addressesOf, startKeepalived } from './keepalived.ts'

const entry = join(root, 'build/vrrp.js')

/** A vrrp process of ours in a host of the lab; its director is the test. */
export interface OurVrrp {
  readonly process: VrrpProcess
  readonly events: VrrpEvent[]
  readonly log: string[]
  /** `backup`, `master`, … of the first instance. */
  state(): Promise<string | undefined>
  apply(config: string): Promise<void>
  pid(): Promise<number>
  /** No process is started again from now on. */
  letDie(): void
}

async function work(config: string): Promise<VrrpWork> {
  const files = filesInMemory(new Map([['/etc/test.conf', config]]))
  const loaded = await loadConfig('/etc/test.conf', { checkers, read: files })
  const errors = loaded.diagnostics.filter(({ severity }) => severity === 'error')
  if (loaded.config === undefined || errors.length > 0)
    throw new Error(errors.map((each) => renderDiagnostic(each)).join('\n'))
  return { plan: loaded.config, scripts: loaded.config.globals }
}

export async function startOurs(host: Host, config: string): Promise<OurVrrp> {
  const path = `/run/netns/${host.namespace}`
  const events: VrrpEvent[] = []
  const log: string[] = []
  let restarts = true
  // Whatever is started is started in the host.
  const clock: Clock = {
    ...systemClock,
    after: (delay, action) => systemClock.after(delay, () => { if (restarts || delay > 60) withinNamespace(path, action) }), // prettier-ignore
  }
  const first = await work(config)
  const process = withinNamespace(path, () =>
    startVrrpProcess({
      work: first,
      events: (event) => void events.push(event),
      logger: loggerTo((level, _event, message) => void log.push(`${level} ${message}`)),
      clock,
      entry,
    }),
  )
  const status = async () => (await process.status())?.instances[0]
  await until('the vrrp process answers', seconds(10), async () => (await status()) !== undefined, () => log.join('\n')) // prettier-ignore
  return {
    process,
    events,
    log,
    state: async () => (await status())?.state,
    apply: async (text) => {
      process.apply(await work(text))
    },
    pid: async () => (await process.status())?.pid ?? 0,
    letDie() {
      restarts = false
    },
  }
}

/** Ends a test's two: ours, and a keepalived, which would take its address along only if it were asked to end. */
export async function endBoth(ours: OurVrrp | undefined, theirs: LabProcess | undefined): Promise<void> {
  ours?.letDie()
  await ours?.process.stop()
  theirs?.kill()
  await theirs?.ended
}

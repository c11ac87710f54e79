import type { VrrpScript } from '@ipvs-director/config'
import { type Clock, type Logger, millis, type Timer } from '@ipvs-director/core'
import type { ScriptResult, VrrpLink } from './link.ts'
import type { Status } from './priority.ts'
import { initialHealth, isGood, rescaled, type ScriptHealth, stepScript } from './script-health.ts'

/** A `vrrp_script` at work. */
export interface ScriptRunner {
  configure(script: VrrpScript): void
  close(): void
}

/** Runs a script at once and then each interval; a run that is still on is not joined by a second. */
export function createScriptRunner(
  initial: VrrpScript,
  link: Pick<VrrpLink, 'runScript'>,
  clock: Clock,
  logger: Logger,
  report: (status: Status) => void,
): ScriptRunner {
  let script = initial
  let health: ScriptHealth = initialHealth(script, script.initFail)
  let timer: Timer | undefined
  let running = false
  let closed = false
  let last: string | undefined

  const publish = (why: string): void => {
    if (health.known) report(isGood(health, script) ? { kind: 'good' } : { kind: 'bad', why })
  }

  const finished = (result: ScriptResult): void => {
    running = false
    if (closed) return
    const success = result.kind === 'exited' && result.status === 0
    const said = describe(result)
    if (last !== undefined && last !== said)
      logger.info('vrrp.script', `Script \`${script.name}\` now returning ${said}`)
    last = said
    const before = health
    health = stepScript(health, success, script)
    if (!before.known || isGood(before, script) !== isGood(health, script)) {
      const verdict = isGood(health, script) ? 'succeeded' : `failed (${said})`
      logger.info('vrrp.script', `VRRP_Script(${script.name}) ${verdict}`, { script: script.name })
    }
    publish(said)
  }

  const run = (): void => {
    timer = clock.after(millis(Math.max(1, script.interval)), run)
    if (running) {
      logger.info('vrrp.script', `script ${script.name} is still running: this run is left out`, {
        script: script.name,
      })
      return
    }
    running = true
    void link.runScript(script).then(finished, (error: unknown) => {
      finished({ kind: 'failed', text: String(error) })
    })
  }

  publish('init_fail: no result yet')
  run()
  return {
    configure(now) {
      health = rescaled(health, script, now)
      script = now
    },
    close() {
      closed = true
      timer?.cancel()
    },
  }
}

function describe(result: ScriptResult): string {
  switch (result.kind) {
    case 'exited':
      return `exited with status ${result.status}`
    case 'signalled':
      return `killed by ${result.signal}`
    case 'timedOut':
      return 'timed out'
    case 'failed':
      return result.text
  }
}

import type { VrrpInstance } from '@ipvs-director/config'
import type { LogFields } from '@ipvs-director/core'
import type { AlarmKind } from './state.ts'
import type { Surroundings } from './surroundings.ts'

/** Different remarks between two changes of state; what comes beyond is only counted. */
const remarkLimit = 64

/** What an instance says: log lines with its name, and alarms. */
export interface Voice {
  readonly log: (level: 'info' | 'warn' | 'error', event: string, text: string, fields?: LogFields) => void
  /** Each remark once until the state or the master changes, as keepalived 2.4. */
  readonly once: (level: 'info' | 'warn' | 'error', event: string, text: string) => void
  /** The state or the master changed. */
  readonly forget: () => void
  readonly alarm: (doing: 'alarm' | 'calm', kind: AlarmKind, text: string) => void
}

export function createVoice(
  { logger, clock, tell }: Pick<Surroundings, 'logger' | 'clock' | 'tell'>,
  config: () => VrrpInstance,
): Voice {
  let said = new Set<string>()
  const log: Voice['log'] = (level, event, text, fields) => {
    const { name, virtualRouterId } = config()
    logger[level](event, `(${name}) ${text}`, { instance: name, vrid: virtualRouterId, ...fields })
  }
  return {
    log,
    once(level, event, text) {
      if (said.size >= remarkLimit || said.has(event + text)) return
      said.add(event + text)
      log(level, event, text)
    },
    forget() {
      said = new Set()
    },
    alarm(doing, kind, text) {
      log(doing === 'alarm' ? 'error' : 'info', `vrrp.${doing}.${kind}`, text)
      tell({ type: doing, name: config().name, kind, text, at: clock.wall() })
    },
  }
}

import { effectiveJson, type Config } from '@ipvs-director/config'
import type { Logger } from '@ipvs-director/core'

/** `-d`: the effective configuration, a line for each part of it, as JSON without its secrets. */
export function logConfig(config: Config, logger: Logger): void {
  for (const [part, value] of Object.entries(effectiveJson(config) as Readonly<Record<string, unknown>>)) {
    const lines: readonly unknown[] = Array.isArray(value) ? value : [value]
    for (const line of lines) logger.info('config.dump', `${part}: ${JSON.stringify(line)}`)
  }
}

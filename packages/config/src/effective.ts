import type { Config } from './config.ts'
import type { Json } from './kind.ts'

/** Values under such names are never shown. */
const secret = /^(?:password|authPass|auth_pass|secret)$/i

/**
 * The effective configuration as JSON: every default and inheritance applied, times in milliseconds as in {@link Config}.
 * Secrets are replaced by "***".
 */
export function effectiveJson(config: Config): Json {
  return JSON.parse(
    JSON.stringify(config, (key, value: unknown) => (secret.test(key) && typeof value === 'string' ? '***' : value)),
  ) as Json
}

import type { Config } from './config.ts'
import type { Json } from './kind.ts'
import { publicUrl } from './secrets.ts'

/** Values under such names are never shown. A test puts something into every keyword that is declared secret. */
const secret = /^(?:password|secret)$/i

/**
 * The effective configuration as JSON: every default and inheritance applied, times in milliseconds as in {@link Config}.
 * Secrets are replaced by "***", of a URL all behind the host.
 */
export function effectiveJson(config: Config): Json {
  return JSON.parse(
    JSON.stringify(config, (key, value: unknown) => {
      if (typeof value !== 'string') return value
      if (secret.test(key)) return '***'
      return key === 'url' && URL.canParse(value) ? publicUrl(value) : value
    }),
  ) as Json
}

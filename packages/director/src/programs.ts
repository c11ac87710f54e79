import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * The path of another built program: all of them lie beside the one that was started, which a symbolic link may have
 * led to. (Where this module lies says nothing: the bundler moves what several programs share.)
 */
export function programPath(name: 'prober' | 'vrrp' | 'load-worker'): string {
  const [, started = '.'] = process.argv
  return join(dirname(realpathSync(started)), `${name}.js`)
}

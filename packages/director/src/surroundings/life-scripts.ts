import type { ProcessSettings } from '@ipvs-director/config'
import type { Logger } from '@ipvs-director/core'
import { runScript } from '@ipvs-director/linux'
import { permissionOf, type ScriptRules } from '../scripts.ts'

/**
 * `startup_script`, before anything is done, and `shutdown_script`, when all is done: run once and waited for, by the
 * rules of all scripts. Whatever becomes of them is logged, and the program goes on.
 */
export async function runLifeScript(
  keyword: 'startup_script' | 'shutdown_script',
  wish: ProcessSettings['startup'],
  rules: ScriptRules,
  logger: Logger,
): Promise<void> {
  if (wish === undefined) return
  const permission = permissionOf(wish.script, rules, logger)
  const told = (problem: string): void => {
    logger.error('script.failed', `${keyword} ${wish.script.words[0] ?? ''}: ${problem}`)
  }
  if ('problem' in permission) {
    told(permission.problem)
    return
  }
  const result = await runScript(permission.command, { ...permission.identity, timeout: wish.timeout })
  switch (result.kind) {
    case 'exit':
      if (result.code !== 0) told(`exit status ${result.code}`)
      return
    case 'signal':
      told(result.signal)
      return
    case 'cannot start':
      told(result.reason)
      return
    case 'timeout':
    case 'stopped':
      told(`ended after ${wish.timeout / 1000} s`)
  }
}

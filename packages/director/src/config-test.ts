import { count, describeError } from '@ipvs-director/core'
import { testStatus } from '@ipvs-director/config'
import { writeFileSync } from 'node:fs'
import { loadFile } from './load.ts'
import type { CommandLine } from './options.ts'

/** The report of `-t=FILE` cannot be written: keepalived's status for an option that cannot be. */
const badOption = 1

/**
 * `-t`: reads the configuration, says what is to be said (to standard error or the file of `-t=FILE`), and ends with
 * keepalived's exit statuses: 0 fine, 4 cannot run, 5 errors, 6 scripts without enable_script_security (which hides 5).
 */
export async function testConfig(options: CommandLine): Promise<number> {
  const { config, diagnostics, errors, warnings, remarks, leftOut } = await loadFile(options.file, options)
  const status = testStatus(remarks, config !== undefined)
  const counts = `${count(errors, 'error')}, ${count(warnings, 'warning')}`
  const verdict =
    config === undefined ? 'cannot run' : leftOut.length > 0 ? `${counts}; without ${leftOut.join(', ')}` : counts
  const text = [...diagnostics, `${options.file}: ${status === 0 ? 'fine, ' : ''}${verdict}`]
    .map((line) => `${line}\n`)
    .join('')
  if (typeof options.configTest !== 'string') process.stderr.write(text)
  else {
    try {
      writeFileSync(options.configTest, text)
    } catch (error) {
      process.stderr.write(`ipvs-director: cannot write ${options.configTest}: ${describeError(error)}\n`)
      return badOption
    }
  }
  return status
}

import { writeFileSync } from 'node:fs'
import { loadFile } from './load.ts'
import type { CommandLine } from './options.ts'

/** `-t`: keepalived's exit statuses. Unlike keepalived a missing main file is not fine. */
const testStatus = { fine: 0, cannotRun: 4, errors: 5 } as const

/** Reads the configuration, says what is to be said (to standard error or the file of `-t=FILE`), and judges. */
export async function testConfig(options: CommandLine): Promise<number> {
  const { config, diagnostics, errors } = await loadFile(options.file, options.configId)
  const verdict =
    config === undefined
      ? `${options.file}: cannot run`
      : errors > 0
        ? `${options.file}: ${errors} errors, would run without what they take out`
        : `${options.file}: fine`
  const text = [...diagnostics, verdict].map((line) => `${line}\n`).join('')
  if (typeof options.configTest === 'string') writeFileSync(options.configTest, text)
  else process.stderr.write(text)
  if (config === undefined) return testStatus.cannotRun
  return errors > 0 ? testStatus.errors : testStatus.fine
}

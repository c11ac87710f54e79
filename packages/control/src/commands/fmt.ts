import { describeError } from '@ipvs-director/core'
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { ControlError } from '../control-error.ts'
import { exitStatus, type ExitStatus } from '../exit-status.ts'
import type { CommandContext } from './context.ts'

export interface FmtOptions {
  /** None: standard input. */
  readonly files: readonly string[]
  /** Change the files, rather than print what they would be. */
  readonly write: boolean
  /** Print nothing but the names of files that would change, and end with 1 when there are any. */
  readonly check: boolean
}

/** How it is called in messages. */
const standardInput = '-'

/** `ipvs-ctl fmt [FILE…]`: keepalived.conf in its usual looks; comments, definitions and order stay. */
export async function runFmt({ tools }: CommandContext, { files, write, check }: FmtOptions): Promise<ExitStatus> {
  const config = await tools.configTools()
  let changed = false
  for (const file of files.length === 0 ? [standardInput] : files) {
    const text = read(file)
    const formatted = config.format(text)
    if (formatted === undefined) {
      throw new ControlError('refused', `${file}: its braces do not match; see ipvs-ctl check ${file}`, {
        code: 'braces',
      })
    }
    if (check) {
      if (formatted === text) continue
      changed = true
      tools.stdout.write(`${file}\n`)
    } else if (!write || file === standardInput) tools.stdout.write(formatted)
    else if (formatted !== text) replace(file, formatted)
  }
  return changed ? exitStatus.refused : exitStatus.ok
}

function read(file: string): string {
  try {
    const bytes = readFileSync(file === standardInput ? 0 : file)
    const text = bytes.toString('utf8')
    // A file in another encoding would not survive being written again.
    if (Buffer.compare(Buffer.from(text), bytes) !== 0) throw new Error(`${file} is not UTF-8`)
    return text
  } catch (error) {
    throw new ControlError('refused', describeError(error), { code: 'unreadable' })
  }
}

/** In one step, so that a director reading at this moment sees the old or the new file. */
function replace(file: string, text: string): void {
  const beside = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(beside, text, { mode: statSync(file).mode & 0o777, flag: 'wx' })
    renameSync(beside, file)
  } catch (error) {
    throw new ControlError('refused', describeError(error), { code: 'unwritable' })
  }
}

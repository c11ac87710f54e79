/**
 * The lab by hand.
 *
 *   npm run lab -- COMMAND …                    runs a command as root on a kernel with IPVS
 *   npm run lab -- --topology dr -- COMMAND …   the same with a lab standing; `--host client` runs it inside that host
 *   npm run lab -- --shell [HOST]               a prompt inside a host of a lab with a director at work
 *   --timeout SECONDS                           all of it may take that long (default 600; a shell: a day)
 */
import { seconds } from '@ipvs-director/core'
import { join } from 'node:path'
import { parseLabArguments, usage, type LabArguments } from './arguments.ts'
import { chooseKernel, describeEnd, runOnKernel } from './kernel.ts'
import { root } from './root.ts'
import { runStanding } from './standing.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(words: readonly string[]): Promise<number> {
  const wish = parseLabArguments(words)
  if (typeof wish === 'string') {
    console.error(`${wish}\n\n${usage}`)
    return 2
  }
  return wish.inside ? runStanding(wish) : outside(wish, words)
}

/** Boots (or not), and does the rest there: by this program once more, or by the command itself where no lab is wanted. */
async function outside(wish: LabArguments, words: readonly string[]): Promise<number> {
  const kernel = chooseKernel()
  if (kernel.kind === 'none') {
    console.error(kernel.reason)
    return 3
  }
  const standing = wish.shell || wish.topology !== undefined
  const [program = 'bash', ...rest] = wish.command
  const command: [string, ...string[]] = standing
    ? [process.execPath, '--enable-source-maps', join(root, 'build/lab.js'), '--inside', ...words]
    : [program, ...rest]
  const timeout = seconds(wish.timeout ?? (wish.shell || wish.command.length === 0 ? 86_400 : 600))
  const terminal = process.stdin.isTTY && process.stdout.isTTY
  const ended = await runOnKernel(kernel, command, { timeout, terminal })
  if (ended.end === 'exit') return ended.code
  console.error(describeEnd(ended, timeout))
  return 3
}

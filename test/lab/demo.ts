/**
 * `npm start`: sees a web service survive the death of a real server, on a kernel with IPVS where one can be had. Ends
 * with 0 only if all that is told was seen.
 */
import { describeError, minutes } from '@ipvs-director/core'
import { memoryWalk } from './demo/memory.ts'
import { narrator, type Narrator } from './demo/narrator.ts'
import { walk } from './demo/walk.ts'
import { chooseKernel, describeEnd, runOnKernel, type Kernel } from './kernel.ts'
import { fileURLToPath } from 'node:url'

const goOn = `
That was the whole circle. To go on:
  npm run lab -- --shell           a prompt on the director of such a network
  npm run lab -- --shell client    or on any other host of it: client, rs1, rs2, rs3
  configs/                         configurations to copy, each with what the real servers need
  node build/ipvs-ctl.js check FILE    what is to be said about your own keepalived.conf
  npm test                         everything is tested, the kernel’s part included`

const colour = process.env['DEMO_COLOUR'] === '1' || process.stdout.isTTY
const inside = process.argv.includes('--inside')

process.exitCode = await (inside ? told(walk) : outside(chooseKernel()))

async function outside(kernel: Kernel): Promise<number> {
  if (kernel.kind === 'none') return withoutKernel(kernel.reason)
  const where = kernel.kind === 'host' ? 'this machine’s kernel, in network namespaces' : 'user-mode Linux, booting now'
  console.log(`\nipvs-director, seen at work on ${where}.`)
  const timeout = minutes(4)
  const command: [string, ...string[]] = [
    process.execPath,
    '--enable-source-maps',
    fileURLToPath(import.meta.url),
    '--inside',
  ]
  const ended = await runOnKernel(kernel, command, { timeout, env: { DEMO_COLOUR: colour ? '1' : '0' } })
  if (ended.end !== 'exit') console.error(describeEnd(ended, timeout))
  const code = ended.end === 'exit' ? ended.code : 1
  console.log(code === 0 ? goOn : '\nThe walk failed: not everything was seen. See above.')
  return code
}

async function withoutKernel(reason: string): Promise<number> {
  const notice = `No traffic is balanced in what follows: the table is kept in memory.\n${reason}`
  console.log(`\n${notice}`)
  const code = await told(memoryWalk)
  console.log(`\n${notice}\nAfter that, npm start shows the real one.`)
  return code
}

async function told(story: (narrator: Narrator) => Promise<void>): Promise<number> {
  try {
    await story(narrator(colour))
    return 0
  } catch (error) {
    console.error(`\n${describeError(error)}`)
    return 1
  }
}

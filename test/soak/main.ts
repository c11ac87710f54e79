/**
 * `npm run soak`: two directors under load to which anything happens, for two hours.
 *
 *   npm run soak -- --minutes 10         for so long
 *   npm run soak -- --seed 4711          the same happenings once more
 *
 * Ends with 0 only if nothing grew, no event was lost, everything told is explained by what was done, and no connection
 * through an untouched server broke.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { minutes } from '@ipvs-director/core'
import { chooseKernel, describeEnd, runOnKernel } from '../lab/kernel.ts'
import { soak } from './soak.ts'

const options = { minutes: { type: 'string' }, seed: { type: 'string' }, inside: { type: 'boolean' } } as const
const values = asked()
const length = Number(values?.minutes ?? 120)
const seed = Number(values?.seed ?? Math.floor(Math.random() * 1_000_000))

if (values === undefined || !(length > 0) || !Number.isInteger(seed)) {
  console.error('usage: npm run soak -- [--minutes N] [--seed N]')
  process.exitCode = 2
} else process.exitCode = await (values.inside === true ? inside() : outside())

/** Undefined: something else. */
function asked(): ReturnType<typeof parseArgs<{ options: typeof options }>>['values'] | undefined {
  try {
    return parseArgs({ options }).values
  } catch {
    return undefined
  }
}

async function outside(): Promise<number> {
  const kernel = chooseKernel()
  if (kernel.kind === 'none') {
    console.error(kernel.reason)
    return 3
  }
  console.log(`soak: ${length} minutes, seed ${seed} (--seed ${seed} does the same again)`)
  const timeout = minutes(length * 1.5 + 15)
  const command = [process.execPath, '--enable-source-maps', fileURLToPath(import.meta.url), '--inside'] as const
  const wish = ['--minutes', String(length), '--seed', String(seed)]
  const ended = await runOnKernel(kernel, [...command, ...wish], { timeout, memory: 3072 })
  if (ended.end === 'exit') return ended.code
  console.error(describeEnd(ended, timeout))
  return 3
}

async function inside(): Promise<number> {
  const say = (line: string): void => {
    console.log(`soak: ${line}`)
  }
  const { lines, failures } = await soak({ length: minutes(length), seed, say })
  for (const line of ['', ...lines, '']) console.log(line)
  for (const failure of failures.slice(0, 50)) console.log(`FAILED: ${failure}`)
  console.log(failures.length === 0 ? 'all is well' : `${failures.length} failures; --seed ${seed} does the same again`)
  return failures.length === 0 ? 0 : 1
}

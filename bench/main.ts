/**
 * `npm run bench`: the goals of performance, each beside its peer in one boot. Prints the ratios and writes
 * docs/benchmarks.md. Ends with 0 also where a goal is missed: that is told, not judged.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { minutes } from '@ipvs-director/core'
import { root } from '../test/lab/root.ts'
import { chooseKernel, describeEnd, runOnKernel } from '../test/lab/kernel.ts'
import { page, screen } from './findings.ts'
import { ownFigures } from './own.ts'
import { memory } from './memory.ts'
import { probing } from './probing/main.ts'
import { programming } from './programming.ts'
import { reading } from './reading.ts'
import { reload } from './reload/main.ts'
import { vrrp } from './vrrp/main.ts'

const program = [process.execPath, '--enable-source-maps', fileURLToPath(import.meta.url)] as const

process.exitCode = await stage(process.argv[2])

function stage(word: string | undefined): Promise<number> {
  if (word === '--own') return own()
  if (word === 'reading') return reading(process.argv.slice(3), program)
  if (word === 'probing') return probing(process.argv.slice(3), program)
  if (word === 'memory') return memory(process.argv.slice(3), program)
  if (word === 'reload') return reload(process.argv.slice(3), program)
  if (word === 'vrrp') return vrrp(process.argv[3])
  return word === '--inside' ? inside() : outside()
}

/** Boots a kernel and does the rest there. */
async function outside(): Promise<number> {
  const kernel = chooseKernel()
  if (kernel.kind === 'none') {
    console.error(kernel.reason)
    return 3
  }
  const timeout = minutes(25)
  const ended = await runOnKernel(kernel, [...program, '--inside'], { timeout, cwd: root, memory: 3072 })
  if (ended.end !== 'exit') console.error(describeEnd(ended, timeout))
  if (ended.end !== 'exit' || ended.code !== 0) return 1
  // the tables of a Markdown page are laid out as the check of the sources wants it
  spawnSync(process.execPath, ['node_modules/prettier/bin/prettier.cjs', '--write', 'docs/benchmarks.md'], {
    cwd: root,
  })
  return 0
}

async function inside(): Promise<number> {
  const findings = await programming((text) => {
    console.log(`bench: ${text}`)
  })
  console.log(`\n${screen(findings)}`)
  mkdirSync(join(root, 'docs'), { recursive: true })
  const path = join(root, 'docs/benchmarks.md')
  // what other stages wrote stands in sections of its own behind the table
  const others = existsSync(path) ? (/\n## .*/s.exec(readFileSync(path, 'utf8'))?.[0] ?? '') : ''
  writeFileSync(path, page(findings, `Linux ${release()} with Node ${process.versions.node}`) + others)
  return 0
}

/** One contestant, in the namespace that was made for it: our own client on a table of so many services and destinations. */
async function own(): Promise<number> {
  const [services, destinations] = process.argv.slice(3).map(Number)
  if (services === undefined || destinations === undefined) return 2
  console.log(JSON.stringify(await ownFigures({ services, destinations })))
  return 0
}

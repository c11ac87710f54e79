/**
 * `npm run bench`: the goals of performance, each beside its peer in one boot. Prints the ratios and writes
 * docs/benchmarks.md. Ends with 0 also where a goal is missed: that is told, not judged.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { minutes } from '@ipvs-director/core'
import { root, upLab } from '../test/lab/index.ts'
import { chooseKernel, describeEnd, runOnKernel } from '../test/lab/kernel.ts'
import { page, screen } from './findings.ts'
import { programming } from './programming.ts'

const program = [process.execPath, '--enable-source-maps', fileURLToPath(import.meta.url)] as const

process.exitCode = await (process.argv.includes('--measure')
  ? measure()
  : process.argv.includes('--inside')
    ? inside()
    : outside())

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

/** Everything runs in a namespace of its own, so that on a host's kernel nobody's table is touched. */
async function inside(): Promise<number> {
  const lab = await upLab({ networks: [], hosts: { bench: { links: {} } } })
  try {
    const [command = '', ...args] = lab.hosts.bench.inside([...program, '--measure'])
    return spawnSync(command, args, { stdio: 'inherit', cwd: root }).status ?? 1
  } finally {
    await lab.down()
  }
}

async function measure(): Promise<number> {
  const findings = await programming((text) => {
    console.log(`bench: ${text}`)
  })
  console.log(`\n${screen(findings)}`)
  mkdirSync(join(root, 'docs'), { recursive: true })
  writeFileSync(
    join(root, 'docs/benchmarks.md'),
    page(findings, `Linux ${release()} with Node ${process.versions.node}`),
  )
  return 0
}

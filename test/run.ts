/**
 * `npm test`: the unit tests here, then the lab's tests on a kernel with IPVS, booted where there is none.
 * The last line says how many passed, failed and were skipped. Words on the command line go to vitest (file filters).
 */
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { minutes, type Millis } from '@ipvs-director/core'
import { countsVariable, type Counts } from './counts-reporter.ts'
import { chooseKernel, describeEnd, runOnKernel } from './lab/kernel.ts'
import { runLimited } from './lab/limited.ts'
import { readIfThere, root } from './lab/root.ts'
import { toolEnvironment } from './lab/tools.ts'
import type { GuestEnded } from './lab/uml.ts'

const vitest = [process.execPath, join(root, 'node_modules/vitest/vitest.mjs')] as const
const filters = process.argv.slice(2)
const failedToEnd: Counts = { passed: 0, failed: 1, skipped: [] }

process.exitCode = summary([await unitTests(), ...(await labTests())])

async function unitTests(): Promise<Counts> {
  const timeout = minutes(10)
  return counted('unit', timeout, (command, env) =>
    runLimited(command, {
      timeout,
      cwd: root,
      stdio: 'inherit',
      ownGroup: true,
      env: { ...toolEnvironment(), ...env },
    }),
  )
}

/**
 * A guest has one processor: a machine with more runs two, each with half of the files. A kernel that is not a guest has
 * one IPVS table to look at, and one run.
 */
async function labTests(): Promise<Counts[]> {
  const kernel = chooseKernel()
  if (kernel.kind === 'none') return [unrun(kernel.reason)]
  const runs = kernel.kind === 'uml' ? Math.min(2, availableParallelism()) : 1
  const where = kernel.kind === 'host' ? 'this machine’s kernel' : `user-mode Linux, ${runs} of them`
  console.log(`\nThe lab’s tests, on ${where}:`)
  const timeout = minutes(20)
  return Promise.all(
    Array.from({ length: runs }, (_, run) =>
      counted(
        'lab',
        timeout,
        (command, env) => runOnKernel(kernel, command, { timeout, cwd: root, env, memory: 3072, processor: run }),
        [`--shard=${run + 1}/${runs}`],
      ),
    ),
  )
}

/** Runs one of vitest's projects; a run that left no counts, or failed without a failed test, counts as one failure. */
async function counted(
  project: string,
  timeout: Millis,
  run: (command: [string, ...string[]], env: Record<string, string>) => Promise<GuestEnded>,
  more: readonly string[] = [],
): Promise<Counts> {
  const file = join(root, `.cache/test/${[project, ...more].join('').replaceAll('/', '-')}.json`)
  rmSync(file, { force: true })
  const reporters = ['--reporter=default', `--reporter=${join(root, 'test/counts-reporter.ts')}`]
  const colour: Record<string, string> = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}
  const command: [string, ...string[]] = [
    ...vitest,
    'run',
    '--project',
    project,
    '--passWithNoTests',
    ...reporters,
    ...more,
    ...filters,
  ]
  const ended = await run(command, { ...colour, [countsVariable]: file })
  const text = readIfThere(file)
  if (ended.end !== 'exit' || text === undefined) {
    console.log(`\nThe run of the ${project} tests failed: ${describeEnd(ended, timeout)}`)
    return failedToEnd
  }
  const counts = JSON.parse(text) as Counts
  return ended.code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/** Without a kernel the lab's tests are counted where they are declared, so that it can be told how many did not run. */
function unrun(reason: string): Counts {
  const [program, ...args] = [...vitest, 'list', '--project', 'lab', '--filesOnly', ...filters] as const
  const listed = execFileSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  const files = [...listed.matchAll(/^\[lab\] (.+)$/gm)].map(([, file = '']) => file)
  const skipped = files.flatMap(declaredTests)
  console.log(`\n${reason}\nThat leaves at least ${skipped.length} tests of the lab, in ${files.length} files, unrun.`)
  const ci = process.env['CI'] !== undefined && process.env['CI'] !== ''
  if (ci) console.log('In CI that is a failure.')
  return { passed: 0, failed: ci ? 1 : 0, skipped }
}

/** The places at which a file declares tests (one may stand for many), or the file itself where it only calls a suite. */
function declaredTests(file: string): Counts['skipped'] {
  const lines = (readIfThere(join(root, file)) ?? '')
    .split('\n')
    .flatMap((line, index) => (/^\s*test(\.\w+)*\(/.test(line) ? [index + 1] : []))
  const places = lines.length === 0 ? [file] : lines.map((line) => `${file}:${line}`)
  return places.map((place) => ({ name: place, reason: 'no kernel with IPVS' }))
}

function summary(runs: readonly Counts[]): number {
  const sum = (pick: (counts: Counts) => number): number => runs.reduce((total, counts) => total + pick(counts), 0)
  const failed = sum((counts) => counts.failed)
  const skipped = runs.flatMap((counts) => counts.skipped)
  if (skipped.length > 0) console.log('\nSkipped:')
  for (const { name, reason } of skipped) console.log(`  ${name}: ${reason}`)
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : ''
  console.log(`\n${sum((counts) => counts.passed)} passed, ${failed} failed${tail}`)
  return failed > 0 ? 1 : 0
}

import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { runLimited } from '../../lab/limited.ts'
import { readIfThere } from '../../lab/root.ts'
import { until } from '../../lab/until.ts'

const options = { cwd: '/', env: process.env, stdio: 'ignore', ownGroup: true } as const
const shell = (script: string): [string, ...string[]] => ['sh', '-c', script]

test.for([
  ['exit 0', 0],
  ['exit 7', 7],
  ['kill -TERM $$', 143],
] as const)('%s ends with %i', async ([script, code]) => {
  expect(await runLimited(shell(script), { ...options, timeout: seconds(10) })).toEqual({ end: 'exit', code })
})

test('when the time is up, what the command started is killed too', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'limited-')), 'pid')
  const script = `sleep 1000 & echo $! > ${file}; wait`
  expect(await runLimited(shell(script), { ...options, timeout: seconds(1) })).toEqual({ end: 'timeout' })
  const pid = Number(readFileSync(file, 'utf8'))
  await until('it is gone', seconds(5), () => !isRunning(pid))
})

/** A killed process stays as a zombie until somebody reaps it; that counts as gone. */
function isRunning(pid: number): boolean {
  const stat = readIfThere(`/proc/${pid}/stat`)
  return stat !== undefined && !/\) Z/.test(stat)
}

test('a program that is not there', async () => {
  await expect(runLimited(['/nowhere/nothing'], { ...options, timeout: seconds(1) })).rejects.toThrow('ENOENT')
})

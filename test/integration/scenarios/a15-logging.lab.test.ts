/** A15: the log on the console, in a file and in syslog, for people and for programs. */
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../../lab/index.ts'
import { findProgram } from '../../lab/tools.ts'
import { pair, patience, scenario } from './scenario.ts'

const { host, ours, held, story } = scenario(pair, ['node1', 'node2'])
const stateChanges = /Entering BACKUP STATE[^]*Entering MASTER STATE[^]*Entering STOP STATE/
const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '')

/** Debian's rsyslogd on /dev/log, local6 in a file of its own; undefined where there is none, or the machine has one. */
async function startSyslog() {
  const program = findProgram('rsyslogd')
  if (program === undefined || existsSync('/dev/log')) return undefined
  const libraries = join(dirname(realpathSync(program)), '../lib')
  const modules = [libraries, ...readdirSync(libraries).map((name) => join(libraries, name))].find((folder) => existsSync(join(folder, 'rsyslog/lmnet.so'))) // prettier-ignore
  const folder = join(host('client').folder, 'syslog')
  mkdirSync(folder)
  const lines = [`$WorkDirectory ${folder}`, 'module(load="imuxsock")', `local6.* ${folder}/local6`, `*.*;local6.none ${folder}/others`] // prettier-ignore
  const file = host('client').writeFile('syslog/conf', `${lines.join('\n')}\n`)
  const command = [program, '-n', '-iNONE', '-f', file, '-M', join(modules ?? '', 'rsyslog')]
  const rsyslogd = host('client').spawn(command)
  await until('rsyslogd listens', patience, () => existsSync('/dev/log'), () => rsyslogd.stderr) // prettier-ignore
  return {
    text: (name: 'local6' | 'others') => read(join(folder, name)),
    async stop() {
      await rsyslogd.stop()
      rmSync('/dev/log', { force: true })
    },
  }
}

test('A15 -D -S 6 -g: the lines that people grep for are on the console, in the file and in syslog as local6', async () => {
  const syslog = await startSyslog()
  if (syslog === undefined) console.warn("Debian's rsyslogd is not there, or /dev/log is in use: syslog is not looked at") // prettier-ignore
  const file = join(host('node1').folder, 'director.log')
  const director = await ours('node1', 'preempt/nopreempt.conf', { options: ['-D', '-S', '6', '-g', file] })
  await held('192.168.10.103', ['node1'])
  expect(await director.process.stop()).toBe(0)
  expect(director.process.stderr).toMatch(stateChanges)
  expect(read(file)).toMatch(stateChanges)
  if (syslog === undefined) return
  await until('syslog has it', patience, () => stateChanges.test(syslog.text('local6')), () => `${syslog.text('local6')}${story()}`) // prettier-ignore
  expect(syslog.text('local6')).toMatch(/ ipvs-director\[\d+\]: .*Entering MASTER STATE/)
  expect(syslog.text('others')).not.toContain('ipvs-director')
  await syslog.stop()
})

test('A15 --log-format json: an object a line, with the name of what happened', async () => {
  const director = await ours('node1', 'preempt/nopreempt.conf', { options: ['--log-format', 'json'] })
  await until('the instance has a state', patience, () => director.process.stderr.includes('vrrp.state'), story)
  await director.process.stop()
  const lines = director.process.stderr.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>) // prettier-ignore
  const line = lines.find(({ event }) => event === 'vrrp.state')
  expect(line).toMatchObject({ level: 'info', message: expect.stringContaining('Entering BACKUP STATE') as string })
  expect(Number.isNaN(Date.parse(String(line?.['time'] ?? line?.['timestamp'])))).toBe(false)
})

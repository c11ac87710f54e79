/** A director with a secret in every keyword that has one: whatever it says, writes and answers is without them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { seconds } from '@ipvs-director/core'
import { openSocket, unixAddress } from '@ipvs-director/linux'
import { expect, test } from 'vitest'
import { dr, until, upLab, type Host } from '../lab/index.ts'
import { directorCommand, startDirector } from './director.ts'
import { ownLog } from './own-log.ts'
import { hush, secretConfig } from './secrets.ts'

test('log, status, events, metrics, dump, schema and ipvs-ctl', { timeout: 240_000 }, async () => {
  const lab = await upLab(dr())
  try {
    const host = lab.hosts.director
    const director = await startDirector(host, secretConfig, '-d', '-D')
    const socket = join(host.folder, 'state/control.sock')
    const shown = new Map<string, string>()
    const ask = async (path: string): Promise<void> => {
      shown.set(path, await host.output(['curl', '-sS', '-m', '20', '--unix-socket', socket, `http://director${path}`]))
    }
    await until('the webhook is in trouble', seconds(60), () => director.process.stderr.includes('webhook.trouble'))
    const dump = join(host.folder, 'state/ipvs-director.data')
    director.process.signal('SIGUSR1')
    await until(
      'the dump is there',
      seconds(30),
      () => existsSync(dump),
      () => director.process.stderr,
    )
    for (const path of ['/v1/status', '/v1/events?follow=false', '/metrics', '/v1/audit']) await ask(path)
    // A reload that is refused for a mistake beside a secret.
    director.change((text) => text.replace('password ', 'nonsense\n    password '))
    shown.set('refused', JSON.stringify(await director.reload()))
    await ask('/v1/status')
    for (const words of ['check --json', 'config', 'config --json', 'plan', 'vrrp', 'events', 'doctor --json'])
      shown.set(words, Object.values(await director.ctl(...words.split(' '))).join('\n'))
    expect(await director.process.stop('SIGTERM', seconds(30))).toBe(0)
    shown.set('log', director.process.stderr + director.process.stdout)
    shown.set('dump', readFileSync(dump, 'utf8'))
    expect(shown.get('log')).toContain('"virtualRouterId":71')
    expect(shown.get('refused')).toContain('nonsense')
    expect([...shown].filter(([, text]) => text.length < 20).map(([name]) => name)).toEqual([])
    expect([...shown].flatMap(([name, text]) => text.split('\n').filter((line) => hush.test(line)).map((line) => `${name}: ${line}`))).toEqual([]) // prettier-ignore
  } finally {
    await lab.down()
  }
})

test('syslog and the journal', { timeout: 240_000 }, async () => {
  const lab = await upLab(dr())
  try {
    expect(await taken(lab.hosts.director, 'syslog', ['-S', '3'])).toEqual([])
    expect(await taken(lab.hosts.director, 'journal', ['--log-journal'])).toEqual([])
  } finally {
    await lab.down()
  }
})

/** Lines with a secret that syslog or journald gets of a director that begins, refuses a reload for a mistake and ends. */
async function taken(host: Host, taker: 'syslog' | 'journal', options: readonly string[]): Promise<string[]> {
  const path = join(host.folder, `${taker}.sock`)
  let told = ''
  const socket = openSocket(
    { domain: 1, type: 2, protocol: 0 },
    { message: (data) => (told += `${data.toString()}\n`), error: () => undefined },
  )
  socket.bind(unixAddress(path))
  socket.start()
  try {
    const file = host.writeFile('keepalived.conf', secretConfig)
    const words = ['-f', file, '--state-dir', join(host.folder, taker), '--probers', '0', '-d', '-D', ...options]
    const run = [...directorCommand, ...words].map((word) => `'${word}'`).join(' ')
    const preparation = ownLog(host, taker === 'syslog' ? { syslog: path } : { syslog: '/nowhere', journal: path })
    const director = host.spawn(['unshare', '--mount', 'sh', '-c', `set -e; ${preparation}; exec ${run}`])
    const heard = (text: string) =>
      until(
        `${taker} is told ${text}`,
        seconds(60),
        () => told.includes(text),
        () => `${told}\n${director.stderr}`,
      )
    await heard('config.dump')
    await heard('webhook.trouble')
    host.writeFile('keepalived.conf', secretConfig.replace('password ', 'nonsense\n    password '))
    director.signal('SIGHUP')
    await heard('nonsense')
    expect(await director.stop('SIGTERM', seconds(30))).toBe(0)
    return told.split('\n').filter((line) => hush.test(line))
  } finally {
    socket.close()
  }
}

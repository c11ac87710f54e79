import { arrayLogger } from '@ipvs-director/core/testing'
import { expect, test } from 'vitest'
import { config, realServer, virtualServer } from '../testing/config.ts'
import { logConfig } from './dump-config.ts'

test('the effective configuration is a line per part, and no secret is in it', () => {
  const checker = { ...realServer('10.0.0.2:80').checkers[0]!, options: { password: 'sesame' } }
  const servers = [realServer('10.0.0.2:80', { checkers: [checker] })]
  const logger = arrayLogger()
  logConfig(config([virtualServer({ realServers: servers }), virtualServer({ name: 'fwmark 7/inet' })]), logger)
  const messages = logger.lines.map(({ message }) => message)
  expect(messages.map((message) => message.split(':')[0])).toEqual([
    'globals',
    'virtualServers',
    'virtualServers',
    'vrrp',
    'process',
  ])
  expect(messages.join('')).toContain('"name":"fwmark 7/inet"')
  expect(messages.join('')).not.toContain('sesame')
})

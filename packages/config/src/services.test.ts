import { expect, test } from 'vitest'
import { loadText } from './testing/load-text.ts'
import type { Config } from './config.ts'

const instance = (name: string, more = ''): string => `vrrp_instance ${name} {
  virtual_router_id 51
  interface eth0
  virtual_ipaddress {
    192.0.2.1
  }
${more}
}
`

async function load(globals: string, rest = ''): Promise<Config> {
  const { config } = await loadText(`global_defs {\n${globals}\n}\n${rest}`)
  if (config === undefined) throw new Error('nothing was loaded')
  return config
}

const daemon = { maxLength: undefined, port: undefined, ttl: undefined, group: undefined }

test.for([
  ['eth1', { ...daemon, interface: 'eth1', instance: undefined, id: 0 }],
  ['eth1 inst VI', { ...daemon, interface: 'eth1', instance: 'VI', id: 51 }],
  ['eth1 VI 7', { ...daemon, interface: 'eth1', instance: 'VI', id: 7 }],
  [
    'eth1 inst VI id 3 maxlen 1400 port 8849 ttl 2 group 224.0.0.82',
    { interface: 'eth1', instance: 'VI', id: 3, maxLength: 1400, port: 8849, ttl: 2, group: '224.0.0.82' },
  ],
  ['eth1 inst OTHER', undefined],
] as const)('lvs_sync_daemon %s', async ([text, wanted]) => {
  expect((await load(`lvs_sync_daemon ${text}`, instance('VI'))).syncDaemon).toEqual(wanted)
})

test('the sync daemon of an instance, and one that follows nothing', async () => {
  const old = await load('', instance('VI', 'lvs_sync_daemon_interface eth2'))
  expect(old.syncDaemon).toEqual({ ...daemon, interface: 'eth2', instance: 'VI', id: 51 })
  const { diagnostics } = await loadText('global_defs {\n  lvs_sync_daemon eth1 inst VI\n}')
  expect(diagnostics.map(({ code }) => code)).toContain('E040')
})

test('SNMP: both RFCs by one keyword', async () => {
  expect((await load('enable_snmp_rfc\nsnmp_vs_stats_update_interval 2')).snmp).toMatchObject({
    rfcV2: true,
    rfcV3: true,
    vrrp: false,
    virtualServerAge: 2000,
    realServerAge: 2000,
  })
})

test.for([
  ['022', 0o022],
  ['18', 18],
  ['IRWXG|IRWXO', 0o077],
  ['IWGRP|IXOTH', 0o021],
] as const)('umask %s', async ([text, wanted]) => {
  expect((await load(`umask ${text}`)).process.umask).toBe(wanted)
})

test('processes', async () => {
  const { process } = await load(
    'checker_priority -5\nchecker_cpu_affinity 1 2\nlvs_process_name lvs\nbfd_rlimit_rtime 7\nstartup_script /bin/s\nstartup_script_timeout 3',
    'child_wait_time 9\nnet_namespace ns1\ninstance one\n',
  )
  expect(process).toMatchObject({
    instance: 'one',
    netNamespace: 'ns1',
    childWait: 9000,
    startup: { script: { words: ['/bin/s'] }, timeout: 3000 },
    shutdown: undefined,
    checker: { niceness: -5, processors: [1, 2], name: 'lvs', realtimeLimit: 10_000 },
    bfd: { realtimeLimit: 7 },
  })
})

test('drain_on_removal of the virtual server, else the global one', async () => {
  const server = (port: number, more: string): string =>
    `virtual_server 192.0.2.1 ${port} {\nprotocol TCP\n${more}\nreal_server 192.0.2.2 ${port} {\n}\n}\n`
  const { virtualServers } = await load('drain_on_removal 60', server(80, '') + server(81, 'drain_on_removal 0'))
  expect(virtualServers.map(({ drainOnRemoval }) => drainOnRemoval)).toEqual([60_000, 0])
  const plain = await load('', server(80, ''))
  expect(plain.virtualServers[0]?.drainOnRemoval).toBe(0)
})

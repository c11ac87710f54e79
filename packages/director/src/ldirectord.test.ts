import { checkers } from '@ipvs-director/checkers'
import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { configTools } from './check-file.ts'
import { fromLdirectord, isLdirectord } from './ldirectord.ts'

const sample = `# Global
checktimeout=3
checkinterval=5
failurecount=3
autoreload=yes
quiescent=yes
emailalert="ops@example.org"
smtp=127.0.0.1

virtual=192.0.2.1:80
	real=192.0.2.11:80 gate 2
	real=192.0.2.12:80 masq 1 ".health", "OK # fine"
	fallback=127.0.0.1:80 gate
	service=http
	request="index.html"
	receive="Test \\"Page"
	virtualhost=www.example.org
	scheduler=rr
	persistent=600
	protocol=tcp
	checktype=negotiate

virtual=7
        real=192.0.2.21:25 ipip
        service=smtp
        protocol=fwm
virtual=[2001:db8::1]:https
        real=[2001:db8::11]:https gate
        checktype=external
        checkcommand=/usr/local/bin/look
        callback="/usr/local/bin/told"
virtual=www.example.org:80
        real=192.0.2.31:80 gate
`

async function load(text: string) {
  const { conf, remarks } = fromLdirectord(text)
  const loaded = await loadConfig('/x.conf', { checkers, read: filesInMemory(new Map([['/x.conf', conf]])) })
  return {
    conf,
    remarks,
    config: loaded.config,
    errors: loaded.diagnostics.filter((each) => each.severity === 'error'),
  }
}

test('a file of ldirectord means the same afterwards', async () => {
  const { remarks, config, errors } = await load(sample)
  expect(errors).toEqual([])
  const [web, mail, tls] = config!.virtualServers
  expect(web).toMatchObject({
    name: '192.0.2.1:80/tcp',
    scheduler: 'rr',
    persistenceTimeout: 600,
    delayLoop: 5000,
    virtualhost: 'www.example.org',
    sorryServer: { address: '127.0.0.1', port: 80, forwarding: { method: 'droute' } },
    realServers: [
      { address: '192.0.2.11', weight: 2, inhibitOnFailure: true, forwarding: { method: 'droute' } },
      { address: '192.0.2.12', weight: 1, forwarding: { method: 'masq' } },
    ],
  })
  const [first] = web!.realServers[0]!.checkers
  expect(first).toMatchObject({ kind: 'HTTP_GET', timing: { retry: 2, delayLoop: 5000, delayBeforeRetry: 5000 } })
  expect(JSON.stringify(first!.options)).toContain('/index.html')
  expect(JSON.stringify(web!.realServers[1]!.checkers[0]!.options)).toContain('OK # fine')
  expect(mail).toMatchObject({ name: 'fwmark 7/inet', realServers: [{ forwarding: { method: 'tunnel' } }] })
  expect(mail!.realServers[0]!.checkers[0]!.kind).toBe('SMTP_CHECK')
  expect(tls!.realServers[0]!.checkers[0]).toMatchObject({
    kind: 'MISC_CHECK',
    options: { script: { words: ['/usr/local/bin/look', '2001:db8::1', '443', '2001:db8::11', '443'] } },
  })
  expect(remarks).toEqual([
    '5: autoreload has no counterpart; after a change: ipvs-ctl reload',
    '31: callback has no counterpart; notify_up and notify_down of real servers run scripts',
    '32: virtual www.example.org:80 is left out: keepalived.conf takes addresses, not names',
  ])
})

test.for([
  ['connect', 'TCP_CHECK'],
  ['ping', 'PING_CHECK'],
  ['negotiate', 'HTTP_GET'],
  ['3', 'HTTP_GET'],
  ['on', undefined],
] as const)('checktype %s is %s', async ([type, kind]) => {
  const { config, errors } = await load(`virtual=192.0.2.1:80\n real=192.0.2.11:80 gate\n checktype=${type}\n`)
  expect(errors).toEqual([])
  expect(config!.virtualServers[0]!.realServers[0]!.checkers[0]?.kind).toBe(kind)
})

test.for(['mysql', 'ldap', 'none'])('service %s is told to be checked less', async (service) => {
  const { remarks } = await load(`virtual=192.0.2.1:33\n real=192.0.2.11:33 gate\n service=${service}\n`)
  expect(remarks).toEqual([`2: service ${service}: only whether it takes connections is checked (TCP_CHECK)`])
})

test('told from keepalived.conf and JSON', () => {
  expect(isLdirectord(sample)).toBe(true)
  expect(isLdirectord('virtual_server 192.0.2.1 80 { }')).toBe(false)
  expect(isLdirectord('{ "virtual": 1 }')).toBe(false)
})

test('ipvs-ctl convert takes it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ldirectord-'))
  try {
    const file = join(folder, 'ldirectord.cf')
    writeFileSync(file, sample)
    const converted = await configTools.convert(file, { configId: undefined, withoutSecrets: false })
    expect(converted).toMatchObject({ errors: 0, usual: 'conf' })
    expect(converted.conf).toContain('virtual_server 192.0.2.1 80 {')
    expect(converted.diagnostics[0]).toBe(`${file}:5: autoreload has no counterpart; after a change: ipvs-ctl reload`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

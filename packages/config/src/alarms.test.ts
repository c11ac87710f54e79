import { expect, test } from 'vitest'
import { loadText } from './testing/load-text.ts'

const alarmsOf = async (globals: string) => {
  const { config, diagnostics } = await loadText(`global_defs {\n${globals}\n}\nvirtual_server 192.0.2.1 80 {\n protocol TCP\n real_server 10.0.0.2 80 {\n TCP_CHECK {\n }\n }\n}\n`) // prettier-ignore
  return { alarms: config?.globals.alarms, codes: diagnostics.map(({ code }) => code) }
}

const mail = 'notification_email {\n ops@example.net\n noc@example.net\n}\nsmtp_server 192.0.2.25'

test('nothing about alarms is nothing', async () => {
  expect((await alarmsOf('router_id LVS')).alarms).toBeUndefined()
  expect((await alarmsOf('smtp_server 192.0.2.25')).alarms).toBeUndefined()
})

test('mail as keepalived sends it: plain, port 25, 30 s', async () => {
  expect((await alarmsOf(mail)).alarms?.mail).toEqual({
    to: ['ops@example.net', 'noc@example.net'],
    from: undefined,
    host: '192.0.2.25',
    port: 25,
    helo: undefined,
    timeout: 30_000,
    tls: 'off',
    verify: true,
    ca: undefined,
    auth: undefined,
    general: false,
  })
})

test.for([
  ['smtp_auth lb1 /etc/secret', { tls: 'starttls', port: 25, auth: { user: 'lb1', passwordFile: '/etc/secret' } }],
  ['smtp_tls implicit', { tls: 'implicit', port: 465 }],
  ['smtp_tls starttls\nsmtp_tls_verify off\nsmtp_tls_ca /ca.pem', { tls: 'starttls', verify: false, ca: '/ca.pem' }],
  ['smtp_alert on\nsmtp_connect_timeout 5\nsmtp_helo_name lb1', { general: true, timeout: 5000, helo: 'lb1' }],
] as const)('%s', async ([text, wanted]) => {
  expect((await alarmsOf(`${mail}\n${text}`)).alarms?.mail).toMatchObject(wanted)
})

test('webhooks, one after the other', async () => {
  const text = 'notify_webhook https://a.example/x secret_file /key\nnotify_webhook http://b.example'
  expect((await alarmsOf(text)).alarms?.webhooks).toEqual([
    { url: 'https://a.example/x', secretFile: '/key' },
    { url: 'http://b.example', secretFile: undefined },
  ])
  expect((await alarmsOf('notify_webhook ftp://a.example')).codes).toContain('E022')
})

test('FIFOs: a path counts once, the global one first', async () => {
  const text = 'notify_fifo /f root\nlvs_notify_fifo /f\nvrrp_notify_fifo /g\nvrrp_notify_fifo_script "/bin/s a"'
  expect((await alarmsOf(text)).alarms?.fifos).toEqual([
    { path: '/f', user: 'root', group: undefined, events: 'all', script: undefined },
    { path: '/g', user: undefined, group: undefined, events: 'vrrp', script: expect.objectContaining({ words: ['/bin/s', 'a'] }) as unknown }, // prettier-ignore
  ])
})

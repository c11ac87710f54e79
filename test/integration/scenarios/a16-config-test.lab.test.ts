/** A16: a configuration is tested: verdict, place, suggestion and exit status, beside what keepalived says of the same file. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../lab/index.ts'
import { directorCommand } from '../director.ts'
import { pair, scenario } from './scenario.ts'

const { host } = scenario(pair, ['node1', 'node2'])
const check = (...words: string[]) => host('node1').run([...directorCommand, ...words])
const sample = (name: string): string => join(root, 'configs', name)

test('A16 a good file: fine, status 0, and keepalived agrees', async () => {
  const file = sample('unicast/node1.conf')
  for (const words of [
    ['-t', '-f', file],
    [`--config-test`, '--use-file', file],
  ]) {
    const { code, stderr } = await check(...words)
    expect([code, stderr.trim()]).toEqual([0, `${file}: fine, 0 errors, 0 warnings`])
  }
  expect((await host('node1').run(['keepalived', '-t', '-f', file])).code).toBe(0)
})

test('A16 what newcomers paste: each mistake has its line and what was meant; status 5', async () => {
  const { code, stderr } = await check('-t', '-f', sample('mistakes/keepalived.conf'))
  expect(code).toBe(5)
  for (const told of [
    /:5:5: unknown keyword "smpt_server" in global_defs; did you mean "smtp_server"\?/,
    /:6:23: warning: taken as a comment; keepalived knows only "#" and "!"/,
    /:9:1: unknown keyword "vrrp_rsync_group" .*did you mean "vrrp_sync_group"\?/,
    /:18:26: "priority" is a keyword of its own and must begin a line/,
    /:19:5: unknown keyword "unicast_src-ip" .*did you mean "unicast_src_ip"\?/,
    /:25:19: typographic quote; write a plain "/,
    /:38:9: unknown keyword "HTTP_CHECK" .*did you mean "HTTP_GET"\?/,
    /: 6 errors, 1 warning; without virtual_server 192\.168\.10\.100 80, vrrp_instance VI_1$/m,
  ])
    expect(stderr).toMatch(told)
  expect(stderr).not.toContain('secret51')
  expect((await host('node1').run(['keepalived', '-t', '-f', sample('mistakes/keepalived.conf')])).code).not.toBe(0)
})

test('A16 no file at all: status and sentence', async () => {
  const { code, stderr } = await check('-t', '-f', '/nonexistent/keepalived.conf')
  expect(code).toBe(4)
  expect(stderr).toMatch(/\/nonexistent\/keepalived\.conf/)
})

import { expect, test } from 'vitest'
import { routeNumbers, type RouteFiles } from './route-names.ts'

const texts: Readonly<Record<string, string>> = {
  '/etc/iproute2/rt_tables': '# names\n254\tmain\n100 red # ours\n',
  '/etc/iproute2/rt_tables.d/site.conf': '200 green\n',
  '/etc/iproute2/rt_tables.d/README': '201 unread\n',
  '/usr/share/iproute2/rt_tables': '1 red\n2 blue\n',
  '/usr/lib/iproute2/rt_protos': '0x12 keepalived\n',
  '/opt/tables/rt_tables': '7 red\n',
  '/opt/shipped/rt_tables': '8 blue\n',
}
const files: RouteFiles = {
  read: (path) => texts[path] ?? '',
  list: (folder) =>
    Object.keys(texts).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : [])),
}

test.each([
  ['rt_tables', '42', 42],
  ['rt_tables', '0x2a', 42],
  ['rt_tables', 'red', 100],
  ['rt_tables', 'green', 200],
  ['rt_tables', 'unread', undefined],
  ['rt_tables', 'blue', 2],
  ['rt_protos', 'keepalived', 18],
  ['rt_scopes', 'red', undefined],
] as const)('%s %s is %s', (kind, name, number) => {
  expect(routeNumbers({}, files)(kind, name)).toBe(number)
})

test('iproute_etc_dir and iproute_usr_dir', () => {
  const numbers = routeNumbers({ own: '/opt/tables', shipped: '/opt/shipped' }, files)
  expect(numbers('rt_tables', 'red')).toBe(7)
  expect(numbers('rt_tables', 'blue')).toBe(8)
  expect(numbers('rt_tables', 'green')).toBeUndefined()
})

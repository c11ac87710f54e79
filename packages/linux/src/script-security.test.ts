import { expect, test } from 'vitest'
import { checkScript, type FileFacts, type FileSystem } from './script-security.ts'

const dir = (mode: number, uid = 0, gid = 0): FileFacts => ({ mode: 0o040000 | mode, uid, gid })
const file = (mode: number, uid = 0, gid = 0): FileFacts => ({ mode: 0o100000 | mode, uid, gid })

const tree: Record<string, FileFacts> = {
  '/': dir(0o755),
  '/bin': dir(0o755),
  '/bin/true': file(0o755),
  '/bin/data': file(0o644),
  '/bin/owned': file(0o755, 7),
  '/bin/group': file(0o775, 0, 9),
  '/bin/rootgroup': file(0o775, 0, 0),
  '/bin/world': file(0o757),
  '/bin/setuid': file(0o4757),
  '/bin/private': file(0o700),
  '/bin/ofgroup': file(0o710, 0, 9),
  '/tmp': dir(0o1777),
  '/tmp/x': file(0o755),
  '/open': dir(0o777),
  '/open/x': file(0o755),
  '/root': dir(0o700),
  '/root/x': file(0o755),
  '/real': dir(0o755),
  '/real/x': file(0o755),
}
const links: Record<string, string> = { '/bin/link': '/real/x', '/bin/trap': '/open/x' }
const files: FileSystem = {
  stat: (path) => tree[path],
  real: (path) => links[path] ?? (path in tree ? path : undefined),
}
const root = { uid: 0, gid: 0 }
const user = { uid: 7, gid: 9 }
const other = { uid: 8, gid: 8 }

test.for([
  ['/bin/true', root, 'ok', '/bin/true'],
  ['/bin/none', root, 'missing', 'does not exist'],
  ['/bin', root, 'missing', 'is not a file'],
  ['/bin/data', root, 'missing', 'may not execute'],
  ['/bin/owned', root, 'unsafe', '/bin/owned is not owned by root'],
  ['/bin/group', root, 'unsafe', '/bin/group is writable by group 9'],
  ['/bin/rootgroup', root, 'ok', '/bin/rootgroup'],
  ['/bin/world', root, 'unsafe', 'writable by everybody'],
  ['/tmp/x', root, 'ok', '/tmp/x'],
  ['/open/x', root, 'unsafe', '/open is writable'],
  ['/bin/link', root, 'ok', '/real/x'],
  ['/bin/trap', root, 'unsafe', '/open is writable'],
  ['/bin/world', other, 'ok', '/bin/world'],
  ['/open/x', other, 'ok', '/open/x'],
  ['/bin/setuid', other, 'unsafe', 'writable by everybody'],
  ['/bin/private', other, 'missing', 'may not execute'],
  ['/bin/ofgroup', user, 'ok', '/bin/ofgroup'],
  ['/bin/ofgroup', other, 'missing', 'may not execute'],
  ['/bin/ofgroup', { ...other, groups: [9] }, 'ok', '/bin/ofgroup'],
  ['/root/x', other, 'missing', 'may not enter /root'],
  ['/open/x', { uid: 8, gid: 0 }, 'unsafe', '/open is writable'],
] as const)('%s as %o: %s, %s', ([name, who, kind, said]) => {
  const check = checkScript(name, who, { files })
  expect(check.kind).toBe(kind)
  expect(check.kind === 'ok' ? check.path : check.reason).toContain(said)
})

test('a bare name is searched, and said to be', () => {
  expect(checkScript('true', root, { files, searchPath: 'relative:/nowhere:/bin' })).toEqual({
    kind: 'ok',
    path: '/bin/true',
    remark: 'true is taken from the PATH; better write /bin/true',
  })
  expect(checkScript('data', root, { files, searchPath: '/bin' }).kind).toBe('missing')
})

test('use_symlink_paths keeps the link, and still looks at what it leads to', () => {
  expect(checkScript('/bin/link', root, { files, keepSymlinks: true })).toEqual({ kind: 'ok', path: '/bin/link' })
  expect(checkScript('/bin/trap', root, { files, keepSymlinks: true }).kind).toBe('unsafe')
})

test('the real file system', () => {
  expect(checkScript('/bin/sh', root).kind).toBe('ok')
  expect(checkScript('sh', { uid: 65534, gid: 65534 }).kind).toBe('ok')
  expect(checkScript('/nonexistent/x', root).kind).toBe('missing')
})

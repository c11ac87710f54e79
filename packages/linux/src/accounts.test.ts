import { expect, test } from 'vitest'
import { parseAccounts, readAccounts, resolveIdentity } from './accounts.ts'

const passwd = `root:x:0:0:root:/root:/bin/bash
# a comment
www:x:33:33::/var/www:/usr/sbin/nologin
broken line
worse:x:abc:1::/:
check:x:500:600::/:
`
const group = `root:x:0:
www:x:33:
adm:x:4:www,check
checks:x:600:check
tools:x:700:check
`
const accounts = parseAccounts(passwd, group)

test.for([
  ['check', undefined, { uid: 500, gid: 600 }, 'the own group'],
  ['check', 'adm', { uid: 500, gid: 4 }, 'a group by name'],
  ['check', '700', { uid: 500, gid: 700 }, 'a group by number'],
  ['500', undefined, { uid: 500, gid: 600 }, 'a user by number'],
  ['check', ':adm', { uid: 500, gid: 4, groups: [4, 700] }, 'a colon adds the further groups'],
  ['check', ':', { uid: 500, gid: 600, groups: [4, 700] }, 'a bare colon too'],
  ['nobody', undefined, { problem: 'there is no user "nobody"' }, 'no such user'],
  ['worse', undefined, { problem: 'there is no user "worse"' }, 'a line that cannot be read'],
  ['check', 'nogroup', { problem: 'there is no group "nogroup"' }, 'no such group'],
] as const)('%s %s: %o (%s)', ([user, name, expected]) => {
  expect(resolveIdentity(accounts, user, name)).toEqual(expected)
})

test('the machine has a root', () => {
  expect(readAccounts().user('root')).toMatchObject({ uid: 0, gid: 0 })
})

import { readFileSync } from 'node:fs'

/** A user as /etc/passwd has it. */
export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** A group as /etc/group has it. */
export interface Group {
  readonly name: string
  readonly gid: number
  readonly members: readonly string[]
}

/** The users and groups of this machine, or of two texts. Names only: what NSS adds (LDAP, sssd) is not seen. */
export interface Accounts {
  /** By name; a name of digits only is also taken for a uid. */
  user(name: string): User | undefined
  group(name: string): Group | undefined
  /** The gids of all groups that list the user as a member, without its own. */
  groupsOf(user: User): readonly number[]
}

/** passwd(5) and group(5); lines that are not of that form are left out. */
export function parseAccounts(passwd: string, group: string): Accounts {
  const users = lines(passwd).flatMap(([name = '', , uid = '', gid = '']): User[] =>
    isId(uid) && isId(gid) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [],
  )
  const groups = lines(group).flatMap(([name = '', , gid = '', members = '']): Group[] =>
    isId(gid) ? [{ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }] : [],
  )
  return {
    user: (name) =>
      users.find((user) => user.name === name) ??
      (isId(name) ? users.find((user) => user.uid === Number(name)) : undefined),
    group: (name) =>
      groups.find((entry) => entry.name === name) ??
      (isId(name) ? groups.find((entry) => entry.gid === Number(name)) : undefined),
    groupsOf: (user) =>
      groups.filter((entry) => entry.members.includes(user.name) && entry.gid !== user.gid).map((entry) => entry.gid),
  }
}

/** This machine's, read at each call. A file that cannot be read counts as empty. */
export function readAccounts(): Accounts {
  return parseAccounts(readOrEmpty('/etc/passwd'), readOrEmpty('/etc/group'))
}

/** Who something runs as; `groups` are the supplementary ones, none when absent. */
export interface Identity {
  readonly uid: number
  readonly gid: number
  readonly groups?: readonly number[]
}

/**
 * The identity of `user [group]` as keepalived writes it. Without a group it is the user's own; a group written with a
 * leading `:`, or `supplementary`, adds the user's further groups. Answers what is wrong as a sentence.
 */
export function resolveIdentity(
  accounts: Accounts,
  user: string,
  group?: string,
  supplementary = false,
): Identity | { readonly problem: string } {
  const found = accounts.user(user)
  if (found === undefined) return { problem: `there is no user "${user}"` }
  const all = supplementary || group?.startsWith(':') === true
  const name = group?.replace(/^:/, '')
  const main = name === undefined || name === '' ? found.gid : accounts.group(name)?.gid
  if (main === undefined) return { problem: `there is no group "${name ?? ''}"` }
  return { uid: found.uid, gid: main, ...(all ? { groups: accounts.groupsOf(found) } : {}) }
}

const isId = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32

function lines(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

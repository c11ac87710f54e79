import { silentLogger } from '@ipvs-director/core'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { permissionOf, type ScriptRules } from './scripts.ts'

const folder = mkdtempSync(join(tmpdir(), 'scripts-'))
const link = join(folder, 'link')
const real = join(folder, 'real')
writeFileSync(real, '#!/bin/sh\n', { mode: 0o755 })
symlinkSync(real, link)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

const rules: ScriptRules = { scriptUser: { user: 'root' }, enableScriptSecurity: false, setSupplementaryGroups: false, useSymlinkPaths: false } // prettier-ignore
const allowed = (more: Partial<ScriptRules>) =>
  permissionOf({ words: [link, 'word'] }, { ...rules, ...more }, silentLogger)

test('use_symlink_paths: the path as written', () => {
  expect(allowed({})).toMatchObject({ command: [real, 'word'] })
  expect(allowed({ useSymlinkPaths: true })).toMatchObject({ command: [link, 'word'] })
})

test('set_supplementary_groups: all groups of the user, for script_user and for its own', () => {
  expect(allowed({})).toEqual({ command: [real, 'word'], identity: { uid: 0, gid: 0 } })
  const identity = { uid: 0, gid: 0, groups: expect.any(Array) as unknown }
  expect(allowed({ setSupplementaryGroups: true })).toMatchObject({ identity })
  expect(
    permissionOf({ words: [real], user: 'root' }, { ...rules, setSupplementaryGroups: true }, silentLogger),
  ).toMatchObject({ identity })
})

/** Every sample is also what Debian's keepalived understands: its config test says nothing about them. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root, upLab, type Lab } from '../lab/index.ts'
import { remarked, samples } from '../unit/samples.ts'

// keepalived 2.2.7 -t ends with SIGTERM to its own process group where the file has scripts
const ends = [0, 143]

/** It wants the interfaces to be there. */
let lab: Lab<'machine'>
beforeAll(async () => {
  lab = await upLab({
    networks: ['lan', 'inside'],
    hosts: { machine: { links: { lan: ['192.168.10.11/24'], inside: ['10.20.0.11/24'] } } },
  })
})
afterAll(() => lab.down())

const configTest = (name: string) => lab.hosts.machine.run(['keepalived', '-t', '-f', join(root, name)])

test.for(samples)('keepalived -t has no remark on %s, or the one that is known', async (name) => {
  const { code, stdout, stderr } = await configTest(name)
  const { theirs } = remarked[name] ?? {}
  if (theirs !== undefined) {
    expect(stderr).toMatch(theirs)
    return
  }
  expect(stdout + stderr).toBe('')
  expect(ends).toContain(code)
})

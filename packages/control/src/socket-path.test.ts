import { createServer, type Server } from 'node:net'
import { existsSync } from 'node:fs'
import { lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { clearSocketPath, publishSocket, removeSocket, temporaryPath } from './socket-path.ts'

let directory: string
let path: string
let open: Server[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'control-'))
  path = join(directory, 's')
  open = []
})
afterEach(async () => {
  for (const server of open) await new Promise((resolve) => server.close(resolve))
  await rm(directory, { recursive: true, force: true })
})

async function listenOn(at: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(at, resolve))
  open.push(server)
  return (await lstat(at)).ino
}

test('publishing never goes over the socket of one that was faster', async () => {
  const theirs = await listenOn(path)
  await listenOn(temporaryPath(path))
  await expect(publishSocket(path)).rejects.toMatchObject({ name: 'SocketPathError', kind: 'taken' })
  expect((await lstat(path)).ino).toBe(theirs)
})

test('publishing gives the bound socket its name and leaves no other', async () => {
  const ours = await listenOn(temporaryPath(path))
  await publishSocket(path)
  expect((await lstat(path)).ino).toBe(ours)
  expect(existsSync(temporaryPath(path))).toBe(false)
})

test('clearing tells one that lives from nothing at all', async () => {
  await expect(clearSocketPath(path)).resolves.toBeUndefined()
  await listenOn(path)
  await expect(clearSocketPath(path)).rejects.toMatchObject({ kind: 'taken' })
})

test('removing takes only the socket it was told', async () => {
  const inode = await listenOn(path)
  await removeSocket(path, inode + 1)
  expect(existsSync(path)).toBe(true)
  await removeSocket(path, inode)
  expect(existsSync(path)).toBe(false)
  await removeSocket(path, inode)
})

import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { silentLogger } from '@ipvs-director/core'
import { exitStatusTexts } from './exit-status.ts'
import { defaultLimits } from './limits.ts'
import { controlRoutes } from './routes.ts'
import { createControlServer } from './server.ts'
import { defaultSocketPath } from './socket-path.ts'
import { fakeDirector } from './testing/index.ts'

const page = readFileSync(new URL('../../../docs/control-api.md', import.meta.url), 'utf8').replace(/ {2,}/g, ' ')
const run = promisify(execFile)

test('docs/control-api.md lists exactly the endpoints there are, with what they take', () => {
  const routes = controlRoutes({
    handlers: fakeDirector(),
    limits: defaultLimits,
    logger: silentLogger,
    streams: new Set(),
  })
  const declared = routes.map(({ method, path, access }) => `${method} ${path} ${access}`)
  const listed = [...page.matchAll(/^\| `(GET|POST) (\/[\w/]*)` \| .* \| (read|write) \|$/gm)].map(([, ...cells]) =>
    cells.join(' '),
  )
  expect(listed.sort()).toEqual(['GET / read', ...declared].sort())
  for (const { query } of routes) for (const name of query) expect(page).toContain(`?${name}=`)
})

test('it lists the exit statuses', () => {
  for (const [status, meaning] of exitStatusTexts)
    expect(page.replaceAll('`', '')).toContain(`| ${status} | ${meaning} |`)
})

const commands = [...page.matchAll(/^curl .*$/gm)].map(([command]) => command)
const curl = await run('curl', ['--version']).then(
  () => true,
  () => false,
)

test.skipIf(!curl).for(commands)('%s (skipped where there is no curl)', async (command) => {
  const directory = await mkdtemp(join(tmpdir(), 'control-'))
  const path = join(directory, 's')
  const server = await createControlServer({ socket: { path }, handlers: fakeDirector(), logger: silentLogger })
  try {
    const told = command.replace(defaultSocketPath, path).replace('curl ', "curl -sS -w '%{http_code}' ")
    const { stdout } = await run('sh', ['-c', told]).catch((error: unknown) => error as { stdout: string })
    expect(stdout).toMatch(/20[02]$/)
  } finally {
    await server.close()
    await rm(directory, { recursive: true, force: true })
  }
})

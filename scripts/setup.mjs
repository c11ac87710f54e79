/**
 * Sets up what the project needs and this machine lacks, saying what it does: npm packages, Debian packages, the native
 * addon, the bundles. Plain Node without dependencies; nothing to do takes well under a second.
 *
 * Usage: node scripts/setup.mjs
 *
 * As root, Debian packages are installed (and no service of theirs is started or left enabled). Without root they are
 * unpacked into .cache/debian, and .cache/tools.json says where to find them.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setUpDebian } from './setup/debian.mjs'
import { Progress } from './setup/progress.mjs'
import { isUpToDate } from './setup/lockfile.mjs'
import { root } from './setup/root.mjs'
import { run } from './setup/run.mjs'

const oldestNode = [20, 19]

/** Does it all. Throws an Error with a sentence for people when it cannot go on; what is merely missing is told. */
export async function setUp() {
  const progress = new Progress()
  checkNode()
  await setUpNpm(progress)
  await setUpDebian(progress)
  await build(progress)
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  throw new Error(`this needs Node.js ${oldestNode.join('.')} or newer; this is ${process.versions.node}`)
}

async function setUpNpm(/** @type {Progress} */ progress) {
  if (isUpToDate()) return
  await progress.step('npm packages, as package-lock.json lists them (npm ci)', async () => {
    try {
      await run(['npm', 'ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: root })
    } catch (cause) {
      throw new Error('the npm packages could not be had, and nothing of the project runs without them', { cause })
    }
  })
}

async function build(/** @type {Progress} */ progress) {
  const command = [process.execPath, join(root, 'scripts/build.mjs'), '--quiet']
  const text = existsSync(join(root, 'build')) ? undefined : 'native addon and programs, into build/'
  const words = await progress.step(text, () => run(command, { cwd: root }))
  if (words.trim() !== '') progress.say(words.trim())
}

/** A message and those of its causes. */
const told = (/** @type {unknown} */ error) =>
  error instanceof Error
    ? [error.message, error.cause === undefined ? '' : `\n${told(error.cause)}`].join('')
    : String(error)

/** Like {@link setUp}, but ends the process with the sentence on standard error. */
export async function setUpOrExit() {
  try {
    await setUp()
  } catch (error) {
    console.error(`\nset-up: ${told(error)}`)
    process.exit(1)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await setUpOrExit()

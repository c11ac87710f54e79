/**
 * Builds the image of docker/Dockerfile, with whichever of docker, podman and buildah is there.
 *
 * Usage: npm run package:docker [-- --base IMAGE] [-- --tag NAME]
 *        npm run package:docker -- --try
 *
 *   --base IMAGE   instead of debian:trixie-slim, from which it is built and on which it runs
 *   --tag NAME     what it is called; ipvs-director
 *   --try          tries Dockerfile and compose file where no registry can be reached, and keeps nothing: a base made by
 *                  debootstrap, an image built by buildah without any privilege but root's (chroot isolation, plain
 *                  folders), the image's programs asked, and docker/compose.yaml stood up in the lab with the image's files
 *
 * --try needs root, debootstrap, buildah, a Debian mirror, the npm registry and a kernel with IPVS (user-mode-linux); it
 * takes about five minutes and 4 GB below TMPDIR, and is not part of the tests for that. What the tests do of it: the compose
 * file checked, and stood up with the programs of build/.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './setup/root.mjs'

const dockerfile = join(root, 'docker/Dockerfile')
const suite = /^ARG BASE=debian:(\w+)/m.exec(readFileSync(dockerfile, 'utf8'))?.[1] ?? 'stable'

const { values: wish } = parseArgs({
  options: { base: { type: 'string' }, tag: { type: 'string', default: 'ipvs-director' }, try: { type: 'boolean' } },
})

process.exitCode = wish.try ? tryOut() : build()

function build() {
  const tool = ['docker', 'podman', 'buildah'].find((program) => spawnSync('which', [program]).status === 0)
  if (tool === undefined) return complain('none of docker, podman and buildah is installed')
  const base = wish.base === undefined ? [] : ['--build-arg', `BASE=${wish.base}`]
  run([tool, 'build', ...ways(tool), ...base, '-f', dockerfile, '-t', wish.tag, root])
  return 0
}

/** Docker finds what to ignore by the name of the Dockerfile, and knows health checks; the others are told. */
function ways(tool) {
  return tool === 'docker' ? [] : ['--ignorefile', `${dockerfile}.dockerignore`, '--format', 'docker']
}

function tryOut() {
  if (process.getuid?.() !== 0) return complain('--try needs root, to make a Debian of its own')
  for (const program of ['debootstrap', 'buildah']) {
    if (spawnSync('which', [program]).status !== 0) return complain(`${program} is not installed`)
  }
  const place = mkdtempSync(join(tmpdir(), 'docker-'))
  const storage = ['--root', join(place, 'store'), '--runroot', join(place, 'run'), '--storage-driver', 'vfs']
  const policy = join(place, 'policy.json')
  writeFileSync(policy, '{ "default": [{ "type": "insecureAcceptAnything" }] }')
  const buildah = (command, ...words) => run(['buildah', ...storage, command, ...words])
  const making = ['--isolation', 'chroot', '--signature-policy', policy, '--pull-never']
  try {
    step(`a base: Debian ${suite}, by debootstrap`)
    const debian = join(place, 'debian')
    run(['debootstrap', '--variant=minbase', suite, debian], { stdio: ['ignore', 'ignore', 'inherit'] })
    trustAsHere(debian)
    writeFileSync(join(place, 'Basefile'), 'FROM scratch\nADD . /\n')
    buildah('bud', ...making, '-f', join(place, 'Basefile'), '-t', 'localhost/base', debian)

    step('the image, by buildah')
    const base = ['--build-arg', 'BASE=localhost/base']
    buildah('bud', ...making, ...ways('buildah'), ...base, '-f', dockerfile, '-t', 'localhost/tried', root)
    const container = tell(['buildah', ...storage, 'from', '--signature-policy', policy, '--pull-never', 'localhost/tried']) // prettier-ignore
    buildah('run', '--isolation', 'chroot', container, 'ipvs-director', '--version')
    buildah('run', '--isolation', 'chroot', container, 'ipvs-ctl', 'version')

    step('docker/compose.yaml, with this image, on a kernel with IPVS')
    const folder = tell(['buildah', ...storage, 'mount', container])
    run([process.execPath, join(root, 'scripts/lab.mjs'), process.execPath, join(root, 'node_modules/vitest/vitest.mjs'), ...'run --project lab test/integration/compose.lab.test.ts'.split(' ')], { env: { ...process.env, CONTAINER_ROOT: folder } }) // prettier-ignore
    console.log('\nall is well')
    return 0
  } catch (error) {
    return complain(error.message)
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Authorities that this machine trusts beside the usual ones: its way to the npm registry may need them. */
function trustAsHere(debian) {
  const own = '/usr/local/share/ca-certificates'
  mkdirSync(join(debian, own), { recursive: true })
  if (existsSync(own)) cpSync(own, join(debian, own), { recursive: true })
}

function step(text) {
  console.log(`\n== ${text}`)
}

function run([program, ...args], options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`)
}

function tell([program, ...args]) {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout.trim()
}

function complain(text) {
  console.error(`package:docker: ${text}`)
  return 2
}

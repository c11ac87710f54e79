/**
 * Runs the built director for a moment, on a table in memory with checks that are not due, and writes what V8 has compiled by
 * then beside it (load-script.ts reads it).
 *
 * Usage: node warm-up.mjs FOLDER
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Script } from 'node:vm'

const folder = resolve(process.argv[2] ?? 'build')
const file = join(folder, 'ipvs-director.cjs')
const state = mkdtempSync(join(tmpdir(), 'warm-up-'))

/** Enough of each for what is called to be compiled, and little enough for nothing to be compiled a second time. */
const servers = [8, 9].map((port) => `  real_server 127.0.0.1 ${port} {\n    weight 1\n    TCP_CHECK {\n      connect_timeout 3\n    }\n  }\n`) // prettier-ignore
const config = Array.from({ length: 20 }, (_, n) => `virtual_server 127.0.1.${n} 80 {
  delay_loop 3600
  lb_algo rr
  lb_kind NAT
  protocol TCP
${servers.join('')}}\n`).join('') // prettier-ignore

const source = readFileSync(file)
const script = new Script(source.toString('latin1'), { filename: file })
const program = {}
script.runInThisContext()(program, createRequire(file), file)

try {
  writeFileSync(join(state, 'warm-up.conf'), config)
  // The other programs lie beside the one that was started.
  process.argv[1] = join(folder, 'ipvs-director.js')
  const ready = setInterval(() => {
    if (existsSync(join(state, 'control.sock'))) process.kill(process.pid, 'SIGTERM')
  }, 300)
  const words = ['-n', '-l', '--memory-ipvs', '-f', join(state, 'warm-up.conf'), '--state-dir', state]
  process.exitCode = await program.main(words)
  clearInterval(ready)
  if (process.exitCode === 0) {
    const digest = createHash('sha256').update(source).digest()
    writeFileSync(`${file}.cache`, Buffer.concat([digest, script.createCachedData()]))
  }
} finally {
  rmSync(state, { recursive: true, force: true })
}
process.exit()

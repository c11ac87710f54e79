#!/usr/bin/env node
import { processTools, runCtl } from '@ipvs-director/control'
import { version } from '../version.ts'

const words = process.argv.slice(2)
process.exitCode =
  words[0] === 'genhash'
    ? await genhash(words.slice(1))
    : await runCtl(
        words,
        processTools(
          {
            version,
            // Reading a configuration needs the whole vocabulary; most commands do not.
            configTools: async () => (await import('../check-file.ts')).configTools,
            doctor: async () => (await import('../doctor/index.ts')).doctor,
          },
          process,
        ),
      )

/** keepalived's program of that name, with its options. */
async function genhash(options: readonly string[]): Promise<number> {
  const checkers = await import('@ipvs-director/checkers/probing')
  return checkers.genhash(options, {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
  })
}

#!/usr/bin/env node
import { processTools, runCtl } from '@ipvs-director/control'
import { version } from '../version.ts'

process.exitCode = await runCtl(
  process.argv.slice(2),
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

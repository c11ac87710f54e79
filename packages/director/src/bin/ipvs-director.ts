#!/usr/bin/env node
import type * as Program from '../director-main.ts'
import { loadScript } from '../load-script.ts'

const { keepYoungGenerationSmall, main } = loadScript(new URL('./ipvs-director.cjs', import.meta.url)) as typeof Program

keepYoungGenerationSmall()
process.exitCode = await main(process.argv.slice(2))
process.exit()

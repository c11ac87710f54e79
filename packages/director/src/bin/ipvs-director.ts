#!/usr/bin/env node
import type * as Program from '../director-main.ts'
import { loadScript } from '../load-script.ts'

const program = loadScript(new URL('./ipvs-director.cjs', import.meta.url)) as typeof Program
const { compileLittle, keepYoungGenerationSmall, main } = program

compileLittle()
keepYoungGenerationSmall()
process.exitCode = await main(process.argv.slice(2))
process.exit()

#!/usr/bin/env node
import { main } from '../main.ts'
import { keepYoungGenerationSmall } from '../young-generation.ts'

keepYoungGenerationSmall()
process.exitCode = await main(process.argv.slice(2))
process.exit()

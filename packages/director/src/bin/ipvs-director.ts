#!/usr/bin/env node
import { keepYoungGenerationSmall } from '../garbage.ts'
import { main } from '../main.ts'

keepYoungGenerationSmall()
process.exitCode = await main(process.argv.slice(2))
process.exit()

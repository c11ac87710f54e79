/** `npm run bench`: sets up what is missing, then measures (bench/main.ts). */
import { setUpOrExit } from './setup.mjs'

await setUpOrExit()
await import('../build/bench.js')

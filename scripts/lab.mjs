/** `npm run lab`: sets up what is missing, then the lab's own command line (test/lab/main.ts). */
import { setUpOrExit } from './setup.mjs'

await setUpOrExit()
process.argv.splice(1, 1, 'lab')
await import('../build/lab.js')

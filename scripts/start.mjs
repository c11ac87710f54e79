/** `npm start`: sets up what is missing, then shows the director at work (test/lab/demo.ts). */
import { setUpOrExit } from './setup.mjs'

await setUpOrExit()
await import('../build/demo.js')

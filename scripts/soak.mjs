/** `npm run soak`: sets up what is missing, then lets anything happen for hours (test/soak/main.ts). */
import { setUpOrExit } from './setup.mjs'

await setUpOrExit()
await import('../build/soak.js')

import { addonAvailable, prctl } from '@ipvs-director/linux'
import { serveVrrp } from './vrrp-serve.ts'

/**
 * The vrrp process, forked by the director: nothing else runs on its event loop. It ends with its parent, giving up its
 * addresses like a stop does.
 */
const PR_SET_PDEATHSIG = 1
const SIGTERM = 15

process.title = 'ipvs-director: vrrp'
const servant = serveVrrp(
  (message) => {
    // Without a callback a director that died meanwhile would be an exception here.
    if (process.connected) process.send?.(message, () => undefined)
  },
  (code) => {
    // What was sent is still on its way out.
    if (process.connected) process.disconnect()
    process.exitCode = code
    setTimeout(() => {
      process.exit(code)
    }, 200)
  },
  process.argv[2] === undefined ? undefined : Number(process.argv[2]),
)
// The channel closes when the director dies; where that is not noticed, the kernel tells.
if (addonAvailable()) prctl(PR_SET_PDEATHSIG, SIGTERM)
process.on('message', (message) => {
  servant.hear(message)
})
process.on('disconnect', () => void servant.stop())
process.on('SIGTERM', () => void servant.stop())
// A terminal's Ctrl-C goes to all; the director decides.
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
// Node.js would open a debugger.
process.on('SIGUSR1', () => undefined)

import { keepMallocSmall } from '@ipvs-director/linux'
import { serveProber } from './fleet/serve.ts'

/**
 * A prober process, forked by the director: probes what it is told to and reports what turns. It ends with its parent.
 * Everything it needs is imported here, before it gives up the right to read files.
 */
process.title = 'ipvs-director: prober'
keepMallocSmall()
const listener = serveProber(
  {
    send: (message) => {
      if (process.connected) process.send?.(message)
    },
  },
  (code) => {
    process.exitCode = code
    // Not while a message is handed on: Node.js 20 then trips over its own channel.
    setImmediate(() => {
      if (process.connected) process.disconnect()
    })
    // What was sent is still on its way out.
    setTimeout(() => {
      process.exit(code)
    }, 200)
  },
)
process.on('message', listener)
process.on('disconnect', () => {
  process.exit()
})
// The director ends its probers itself; a terminal's Ctrl-C goes to all of them.
process.on('SIGINT', () => undefined)
process.on('SIGHUP', () => undefined)
// Node.js would open a debugger.
process.on('SIGUSR1', () => undefined)

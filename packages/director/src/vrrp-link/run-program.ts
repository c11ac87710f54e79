/** The firewall's programs. */
import { seconds } from '@ipvs-director/core'
import { spawn } from 'node:child_process'
import { nftWords, type RunNft } from './firewall-nft.ts'
import type { RunProgram } from './firewall-iptables.ts'

/** One that hangs is ended: a master waits for it before it holds its addresses. */
const patience = seconds(3)

/** Runs it with a text on its standard input; what it prints on its output, or rejects with its complaint. */
export const runProgram: RunProgram = (argv, input = '') =>
  new Promise((resolve, reject) => {
    const [program = '', ...words] = argv
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], timeout: patience, killSignal: 'SIGKILL' })
    let [printed, said] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.on('error', (cause) => {
      reject(new Error(`cannot run ${program}`, { cause }))
    })
    child.on('close', (code, signal) => {
      if (code === 0) resolve(printed)
      else if (signal !== null)
        reject(new Error(`${program} was ended by ${signal}${child.killed ? ' as it hung' : ''}`))
      else reject(new Error(`${program} ended with ${code}: ${nftWords(said)}`))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })

/** nft(8) with a script on its standard input. */
export const runNft: RunNft = (script) => runProgram(['nft', '-f', '-'], script)

/** The firewall's programs. */
import { spawn } from 'node:child_process'
import { nftWords, type RunNft } from './firewall-nft.ts'
import type { RunProgram } from './firewall-iptables.ts'

/** Runs it with a text on its standard input; rejects with what it said. */
export const runProgram: RunProgram = (argv, input = '') =>
  new Promise((resolve, reject) => {
    const [program = '', ...words] = argv
    const child = spawn(program, words, { stdio: ['pipe', 'ignore', 'pipe'] })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
    child.on('error', (cause) => {
      reject(new Error(`cannot run ${program}`, { cause }))
    })
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} ended with ${code}: ${nftWords(said)}`))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })

/** nft(8) with a script on its standard input. */
export const runNft: RunNft = (script) => runProgram(['nft', '-f', '-'], script)

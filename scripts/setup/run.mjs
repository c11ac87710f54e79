import { spawn } from 'node:child_process'

/**
 * Runs a command to its end and resolves with what it printed. Rejects with its last lines when it fails.
 * @param {string[]} command
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, status?: (line: string) => void }} [options]
 *   `status` gets each line the command writes to descriptor 3
 * @returns {Promise<string>}
 */
export function run([program = '', ...args], { cwd, env = process.env, status } = {}) {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (said += text))
  let rest = ''
  child.stdio[3]?.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) status?.(line)
  })
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error(`${program} could not be started: ${cause.message}`))
    })
    child.once('close', (code) => {
      if (code === 0) resolve(said)
      else reject(new Error(`${program} failed:\n${said.trim().split('\n').slice(-15).join('\n')}`))
    })
  })
}

/** Whether a command ends with 0; false also where the program is missing. */
export const succeeds = (/** @type {string[]} */ command) =>
  run(command).then(
    () => true,
    () => false,
  )

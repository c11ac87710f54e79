import { expect, test } from 'vitest'
import { runProgram } from './run-program.ts'

test('what a program says is why it failed', async () => {
  await expect(runProgram(['sh', '-c', 'cat'], 'text')).resolves.toBe('text')
  await expect(runProgram(['sh', '-c', 'echo "Error: no such set" >&2; exit 1'])).rejects.toThrow(
    'sh ended with 1: no such set',
  )
  await expect(runProgram(['/nonexistent'])).rejects.toThrow('cannot run /nonexistent')
})

test('a program that hangs is ended', async () => {
  await expect(runProgram(['sleep', '60'])).rejects.toThrow('sleep was ended by SIGKILL as it hung')
})

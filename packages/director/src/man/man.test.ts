import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { help } from '../options.ts'
import { helpOptions, manualPages } from './pages.ts'
import { plain } from './roff.ts'

const pages = await manualPages('0.0.0')
const groff = await promisify(execFile)('groff', ['--version']).then(
  () => true,
  () => false,
)

/** How a page reads. Warnings of the formatter are errors. */
async function read(text: string): Promise<string> {
  const child = promisify(execFile)('groff', ['-man', '-Tascii', '-ww', '-P-c', '-P-b', '-P-u', '-P-o'], {
    maxBuffer: 1 << 24,
  })
  child.child.stdin?.end(text)
  const { stdout, stderr } = await child
  expect(stderr).toBe('')
  return stdout
}

test('the help of the director as data: every option with its text', () => {
  const options = helpOptions(help)
  expect(options.find(({ name }) => name.startsWith('-t'))).toEqual({
    name: '-t, --config-test[=FILE]',
    doc: 'check the configuration and exit: 0 fine, 4 cannot run, 5 errors, 6 scripts without enable_script_security',
  })
  expect(options.length).toBe(help.match(/^ {2,6}(-\w, )?--/gm)?.length)
})

describe.skipIf(!groff)('the pages, read by groff (skipped where it is not installed)', () => {
  test('ipvs-director(8)', async () => {
    const text = await read(pages.get('ipvs-director.8')!)
    for (const { name } of helpOptions(help)) expect(text).toContain(name)
  })

  test('ipvs-ctl(8): every command and its options', async () => {
    const text = await read(pages.get('ipvs-ctl.8')!)
    expect(text).toMatch(/^ {3}status \[service\]$/m)
    expect(text).toMatch(/--real-server\n +This machine is a real server/)
    expect(text).not.toMatch(/\[boolean\]|undefined/)
  })

  test('ipvs-director.conf(5): keywords in their blocks', async () => {
    const text = await read(pages.get('ipvs-director.conf.5')!)
    expect(text).toMatch(/^BLOCK VIRTUAL_SERVER\n[^]*?delay_loop/m)
    expect(text).toMatch(/^BLOCK HTTP_GET/m)
  })
})

test('nothing in a text is a request of the formatter', () => {
  expect(plain(".TH x\n'x a\\b")).toBe("\\&.TH x\n\\&'x a\\eb")
})

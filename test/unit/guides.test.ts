/** What the documents tell people to type exists: our command lines parse, configurations load, links lead somewhere. */
import { checkers } from '@ipvs-director/checkers'
import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { parseCommandLine } from '../../packages/control/src/command-line.ts'
import { readCommandLine } from '../../packages/director/src/options.ts'
import { documentedCommands, treatmentOf } from '../integration/documents.ts'
import { root } from '../lab/root.ts'

const documents = [
  ...readdirSync(join(root, 'docs/guides')).map((name) => `docs/guides/${name}`),
  ...['docs/doctor.md', 'docs/troubleshooting.md', 'docs/migrating.md', 'docs/reliability.md', 'README.zh.md'],
]

/** Tools of Debian that the documents use, and the packages they are in where these are not there anyway. */
const tools = [
  ...[
    'ip',
    'sysctl',
    'modprobe',
    'systemctl',
    'journalctl',
    'chmod',
    'mkdir',
    'cp',
    'apt',
    'npm',
    'node',
    'git',
    'cat',
  ],
  ...['curl', 'ipvsadm', 'tcpdump', 'arping', 'nft', 'iptables', 'kill', 'dpkg', 'df', 'ss', 'source'],
]

interface Line {
  readonly file: string
  readonly text: string
}

const fences = (file: string, language: string): Line[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(new RegExp(`^ *\`\`\`${language}\\n([^]*?)^ *\`\`\``, 'gm'))].map(
    ([, text = '']) => ({ file, text }),
  )

const commands = documents.flatMap((file) =>
  fences(file, 'sh').flatMap(({ text }) =>
    text
      .split('\n')
      .map((line) => line.trim().replace(/\s+#.*$/, ''))
      .filter((line) => line !== '' && !line.startsWith('#'))
      .flatMap((line) => line.split(/\s(?:&&|\|)\s/).map((part) => ({ file, text: part.trim() }))),
  ),
)
const inline = documents.flatMap((file) =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/`((?:ipvs-ctl|ipvs-director) [^`\n]+)`/g)].map(
    ([, text = '']) => ({ file, text }),
  ),
)

async function understood(line: string): Promise<boolean> {
  const [program = '', ...words] = line.replace(/\s+>.*$/, '').split(/\s+/)
  if (program === 'ipvs-ctl') return 'command' in (await parseCommandLine(words, { version: '', columns: 80 }))
  if (program === 'ipvs-director') return readCommandLine(words).file !== ''
  return tools.includes(program)
}

test('there are commands to look at', () => {
  expect(commands.length).toBeGreaterThan(80)
  expect(inline.length).toBeGreaterThan(20)
})

test.for([...commands, ...inline])('$file: $text', async ({ text }) => {
  expect(await understood(text)).toBe(true)
})

const configurations = documents.flatMap((file) => fences(file, 'conf'))

test.for(configurations)('a configuration of $file', async ({ text }) => {
  const read = filesInMemory(new Map([['/etc/keepalived/keepalived.conf', text]]))
  const { config, diagnostics } = await loadConfig('/etc/keepalived/keepalived.conf', { checkers, read })
  // Scripts of an example are not on this machine: warnings are in order.
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  expect(config).toBeDefined()
})

test.for(documents)('links of %s lead somewhere', (file) => {
  const text = readFileSync(join(root, file), 'utf8')
  const inLine = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)]
  const below = [...text.matchAll(/^\[[^\]]+\]: (?!https?:)(\S+)$/gm)]
  const targets = [...inLine, ...below].map(([, path = '']) => path)
  expect(targets.filter((path) => !existsSync(join(root, dirname(file), path)))).toEqual([])
})

test('of every command it is known how the lab tries it', () => {
  expect(documentedCommands.length).toBeGreaterThan(100)
  for (const command of documentedCommands) expect(treatmentOf(command).do).toMatch(/^(?:look|change|start|not)$/)
})

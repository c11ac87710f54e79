import { checkers } from '@ipvs-director/checkers'
import { grammarWith, manual } from '@ipvs-director/config'
import { commandManual, exitStatusTexts, type ManualEntry } from '@ipvs-director/control'
import { defaultConfigFile, defaultSocket, defaultStateDirectory, help } from '../options.ts'
import { item, paragraph, section, subsection, title, verbatim } from './roff.ts'

/** Pages by file name. Each is made from what the programs themselves declare. */
export async function manualPages(version: string): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['ipvs-director.8', directorPage(version)],
    ['ipvs-ctl.8', await ctlPage(version)],
    ['ipvs-director.conf.5', confPage(version)],
  ])
}

const seeAlso = (...pages: readonly string[]): string =>
  section('see also') + paragraph([...pages, 'ipvsadm(8)', 'keepalived.conf(5)'].join(', '))

/** The options of the help: `  -f, --use-file FILE   text`, going on in deeply indented lines. */
export function helpOptions(text: string): ManualEntry[] {
  const found: { name: string; doc: string }[] = []
  for (const line of text.split('\n')) {
    const match = /^ {2,6}((?:-\w, )?--.+?) {2,}(\S.*)$/.exec(line)
    const last = found.at(-1)
    if (match !== null) found.push({ name: match[1] ?? '', doc: match[2] ?? '' })
    else if (last !== undefined && /^ {20,}\S/.test(line)) last.doc += ` ${line.trim()}`
  }
  return found
}

function directorPage(version: string): string {
  const after = help.slice(help.lastIndexOf('\n\n')).trim()
  return [
    title({ name: 'ipvs-director', section: 8, version }),
    section('name') + 'ipvs\\-director \\- LVS director: probes real servers and keeps the IPVS table right\n',
    section('synopsis') + paragraph('ipvs-director [-f FILE] [options]'),
    section('description'),
    paragraph(
      'Reads keepalived.conf, probes the real servers, and writes what follows into the IPVS table of the kernel. ' +
        'It stays in the foreground. ipvs-ctl(8) shows and steers it.',
    ),
    section('options'),
    ...helpOptions(help).map(({ name, doc }) => item(name, doc)),
    section('signals') + paragraph(after),
    section('exit status'),
    item('0', 'Ended as asked to, or help, version, a configuration without faults.'),
    item('1', 'It could not go on: no IPVS in the kernel, or another director runs; a wrong option.'),
    item('2', 'The configuration cannot be run.'),
    item('4', 'A permission is missing. With --config-test: the configuration cannot be run.'),
    item('5', 'With --config-test: the configuration has errors, and would be run without the faulty parts.'),
    item('6', 'There is no configuration file. With --config-test: scripts without enable_script_security.'),
    section('files'),
    item(defaultConfigFile, 'The configuration, see ipvs-director.conf(5).'),
    item(defaultSocket, 'The control socket: HTTP with JSON.'),
    item(`${defaultStateDirectory}/owned.json`, 'Which services are ours, for the start after a crash.'),
    item('/etc/default/ipvs-director', 'DAEMON_ARGS: options for the service.'),
    seeAlso('ipvs-ctl(8)', 'ipvs-director.conf(5)'),
  ].join('')
}

async function ctlPage(version: string): Promise<string> {
  const { commands, common } = await commandManual()
  return [
    title({ name: 'ipvs-ctl', section: 8, version }),
    section('name') + 'ipvs\\-ctl \\- look at and steer a running ipvs\\-director\n',
    section('synopsis') + paragraph('ipvs-ctl COMMAND [words] [options]'),
    section('commands'),
    ...commands.flatMap(({ usage, doc, words, options }) => [
      subsection(usage.replace(/^ipvs-ctl /, '')),
      paragraph(`${doc}.`),
      ...[...words, ...options].map((one) => item(one.name, one.doc)),
    ]),
    section('options of all commands'),
    ...common.map((one) => item(one.name, one.doc)),
    section('exit status'),
    ...exitStatusTexts.map(([status, meaning]) => item(String(status), `${meaning}.`)),
    section('environment'),
    item('IPVS_DIRECTOR_SOCKET', 'The control socket, where --socket does not name one.'),
    item('NO_COLOR, FORCE_COLOR', 'Without colour on a terminal; with colour elsewhere.'),
    seeAlso('ipvs-director(8)', 'ipvs-director.conf(5)'),
  ].join('')
}

function confPage(version: string): string {
  const rows = rowsOf(manual(grammarWith(checkers)))
  return [
    title({ name: 'ipvs-director.conf', section: 5, version }),
    section('name') + 'ipvs\\-director.conf \\- the configuration of ipvs\\-director: keepalived.conf\n',
    section('description'),
    paragraph(
      `The file is ${defaultConfigFile}, in the language of keepalived.conf(5). A keyword, then its values; a block ` +
        'in braces; what follows # or ! is a comment. Times are seconds with up to six decimals. BOOL is on, true, yes, ' +
        'off, false or no, and on without a value. * marks a keyword that is read and checked, and not acted on.',
    ),
    section('example'),
    verbatim([
      'virtual_server 192.0.2.1 80 {',
      '    delay_loop 3',
      '    lb_algo wrr',
      '    lb_kind DR',
      '    protocol TCP',
      '    real_server 192.0.2.11 80 {',
      '        weight 1',
      '        HTTP_GET {',
      '            url { path /health   status_code 200 }',
      '            connect_timeout 2',
      '        }',
      '    }',
      '}',
    ]),
    ...[...rows].flatMap(([block, keywords]) => [
      section(block === '' ? 'top level' : `block ${block}`),
      ...keywords.map(({ name, doc }) => item(name, doc)),
    ]),
    section('remarks'),
    paragraph('What is said about a faulty file has a code; ipvs-ctl explain CODE says what it means.'),
    seeAlso('ipvs-director(8)', 'ipvs-ctl(8)'),
  ].join('')
}

/** The tables of docs/keywords.md: a keyword with its value, default and meaning in one. */
function rowsOf(text: string): ReadonlyMap<string, readonly ManualEntry[]> {
  const rows = new Map<string, readonly ManualEntry[]>()
  let block: string | undefined
  for (const line of text.split('\n')) {
    const heading = /^## (?:`(.*)`|(.*))$/.exec(line)
    if (heading !== null) block = heading[1] ?? (heading[2] === 'Top level' ? '' : undefined)
    const [, name = '', value = '', usual = '', meaning = ''] = line.split(/(?<!\\)\| ?/).map((cell) => bare(cell))
    if (block === undefined || !line.startsWith('| ') || name === 'keyword' || name === '---') continue
    const fallback = usual === '' ? '' : ` Default: ${usual}.`
    rows.set(block, [...(rows.get(block) ?? []), { name: `${name} ${value}`.trim(), doc: `${meaning}${fallback}` }])
  }
  return rows
}

const bare = (cell: string): string =>
  cell
    .trim()
    .replaceAll('\\|', '|')
    .replaceAll('`', '')
    .replace(/^\*(\w+)\*$/, '$1')

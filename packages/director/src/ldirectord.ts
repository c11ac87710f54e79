/**
 * ldirectord's configuration (ldirectord.cf) as keepalived.conf. What has no counterpart is told, never dropped in
 * silence.
 */
export interface FromLdirectord {
  readonly conf: string
  /** `3: quiescent …`: a line of the file, and what is to be known about it. */
  readonly remarks: readonly string[]
}

interface Setting {
  readonly line: number
  readonly name: string
  readonly value: string
}

interface Section {
  readonly virtual: Setting
  readonly settings: readonly Setting[]
}

/** Whether a text is one: it has `virtual = …` and no block. */
export const isLdirectord = (text: string): boolean =>
  /^\s*virtual\s*=/m.test(text) && !/^\s*virtual_server\b/m.test(text)

export function fromLdirectord(text: string): FromLdirectord {
  const remarks: string[] = []
  const { globals, sections } = split(text, remarks)
  const remark: Remark = ({ line }, words) => void remarks.push(`${line}: ${words}`)
  const head = globalDefs(globals, remark)
  const services = sections.map((section) => virtualServer(section, globals, remark))
  return { conf: [head, ...services].filter((each) => each !== '').join('\n'), remarks }
}

type Remark = (setting: Setting, words: string) => void

/** Settings at the start of a line are global; those below `virtual` belong to it. Quotes may hold anything. */
function split(text: string, remarks: string[]): { globals: Setting[]; sections: Section[] } {
  const globals: Setting[] = []
  const sections: { virtual: Setting; settings: Setting[] }[] = []
  text.split('\n').forEach((raw, i) => {
    const line = raw.replace(/^((?:[^"#]|"[^"]*")*)#.*$/, '$1').trimEnd()
    if (line.trim() === '') return
    const match = /^(\s*)([\w-]+)\s*=\s*(.*)$/.exec(line)
    const [, indent = '', name = '', value = ''] = match ?? []
    if (match === null) {
      remarks.push(`${i + 1}: not understood: ${line.trim()}`)
      return
    }
    const setting = { line: i + 1, name: name.toLowerCase(), value }
    if (setting.name === 'virtual') sections.push({ virtual: setting, settings: [] })
    else if (indent === '') globals.push(setting)
    else (sections.at(-1)?.settings ?? globals).push(setting)
  })
  return { globals, sections }
}

const bare = (value: string): string => value.replace(/^"(.*)"$/, '$1')

function globalDefs(globals: readonly Setting[], remark: Remark): string {
  const lines = globals.flatMap((setting): string[] => {
    const value = bare(setting.value)
    switch (setting.name) {
      case 'emailalert':
        return [`notification_email { ${value.replaceAll(',', ' ')} }`]
      case 'emailalertfrom':
        return [`notification_email_from ${value}`]
      case 'smtp':
        return [`smtp_server ${value}`]
      case 'checkinterval':
      case 'checktimeout':
      case 'negotiatetimeout':
      case 'checkcount':
      case 'failurecount':
      case 'quiescent':
      case 'fallback':
      case 'cleanstop':
      case 'fork':
      case 'supervised':
        return [] // understood below, or without meaning here
      default:
        remark(setting, `${setting.name} has no counterpart${globalHints[setting.name] ?? ''}`)
        return []
    }
  })
  return lines.length === 0 ? '' : `global_defs {\n${lines.map((line) => `    ${line}\n`).join('')}}\n`
}

const globalHints: Readonly<Record<string, string>> = {
  autoreload: '; after a change: ipvs-ctl reload',
  callback: '; notify_up and notify_down of real servers run scripts',
  logfile: '; the log goes to the journal, or where -g and -S say',
  execute: '; put everything into one file, by include',
  maintenancedir: '; ipvs-ctl maintenance HOST takes a host out',
  fallbackcommand: '; quorum_up and quorum_down run scripts',
}

const methods = { gate: 'DR', masq: 'NAT', ipip: 'TUN' } as const
const ports: Readonly<Record<string, number>> = {
  ftp: 21,
  smtp: 25,
  domain: 53,
  http: 80,
  pop3: 110,
  imap: 143,
  https: 443,
  imaps: 993,
  pop3s: 995,
  mysql: 3306,
}

interface Endpoint {
  readonly address: string
  readonly port: string
}

/** `192.0.2.1:80`, `[2001:db8::1]:http`, `192.0.2.1`. Undefined where it names a host: keepalived takes addresses only. */
function endpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\d.]+))(?::([\w-]+))?$/i.exec(text)
  if (match === null) return undefined
  const port = match[3] ?? ''
  return { address: match[1] ?? match[2] ?? '', port: String(ports[port] ?? port) }
}

/** Settings of a section, else of the file. */
class Settings {
  readonly #section: readonly Setting[]
  readonly #globals: readonly Setting[]
  constructor(section: readonly Setting[], globals: readonly Setting[]) {
    this.#section = section
    this.#globals = globals
  }
  setting(name: string): Setting | undefined {
    return [...this.#globals, ...this.#section].findLast((each) => each.name === name)
  }
  text(name: string): string | undefined {
    const value = this.setting(name)?.value
    return value === undefined ? undefined : bare(value)
  }
  /** ldirectord.8 has the defaults. */
  number(name: string, usual: number): number {
    const value = Number(this.text(name) ?? usual)
    return Number.isFinite(value) && value >= 0 ? value : usual
  }
}

function virtualServer({ virtual, settings }: Section, globals: readonly Setting[], remark: Remark): string {
  const of = new Settings(settings, globals)
  const mark = /^\d+$/.test(virtual.value)
  const target = mark ? undefined : endpoint(virtual.value)
  if (!mark && target === undefined) {
    remark(virtual, `virtual ${virtual.value} is left out: keepalived.conf takes addresses, not names`)
    return ''
  }
  const protocol = of.text('protocol') ?? (target?.port === '53' ? 'udp' : 'tcp')
  const timing = [
    `delay_loop ${of.number('checkinterval', 10)}`,
    `delay_before_retry ${of.number('checkinterval', 10)}`,
  ]
  const persistent = of.text('persistent')
  const lines = [
    ...timing,
    `lb_algo ${of.text('scheduler') ?? 'wrr'}`,
    ...(protocol === 'fwm' ? [] : [`protocol ${protocol.toUpperCase()}`]),
    ...(persistent === undefined ? [] : [`persistence_timeout ${persistent}`]),
    ...(of.text('netmask') === undefined ? [] : [`persistence_granularity ${of.text('netmask') ?? ''}`]),
    ...(of.text('ops') === 'yes' ? ['ops'] : []),
    ...(of.text('virtualhost') === undefined ? [] : [`virtualhost ${of.text('virtualhost') ?? ''}`]),
    ...(of.text('quiescent') === 'yes' ? ['inhibit_on_failure'] : []),
    ...sorryServer(of, target, remark),
  ]
  for (const setting of settings) {
    if (!understood.has(setting.name)) {
      remark(setting, `${setting.name} has no counterpart${globalHints[setting.name] ?? ''}`)
    }
  }
  const servers = settings.filter(({ name }) => name === 'real').map((real) => realServer(real, of, target, remark))
  const name = mark ? `fwmark ${virtual.value}` : `${target?.address ?? ''} ${target?.port ?? ''}`
  return `virtual_server ${name.trim()} {\n${lines.map((line) => `    ${line}\n`).join('')}${servers.join('')}}\n`
}

const understood = new Set(
  (
    'real checktype service checkcommand checkport request receive httpmethod virtualhost scheduler persistent netmask ' +
    'protocol ops fallback checkinterval checktimeout negotiatetimeout failurecount checkcount quiescent emailalert'
  ).split(' '),
)

function sorryServer(of: Settings, target: Endpoint | undefined, remark: Remark): string[] {
  const setting = of.setting('fallback')
  if (setting === undefined) return []
  const [where = '', method = 'gate'] = bare(setting.value).split(/\s+/)
  const found = endpoint(where)
  if (found === undefined) {
    remark(setting, `fallback ${where} is left out: keepalived.conf takes addresses, not names`)
    return []
  }
  const kind = method in methods ? methods[method as keyof typeof methods] : 'DR'
  return [`sorry_server ${found.address} ${found.port || (target?.port ?? '')}`, `sorry_server_lvs_method ${kind}`]
}

function realServer(setting: Setting, of: Settings, target: Endpoint | undefined, remark: Remark): string {
  const words = setting.value.match(/"[^"]*"|[^\s,]+/g) ?? []
  const [where = '', ...more] = words
  const quoted = more.filter((word) => word.startsWith('"')).map(bare)
  const plain = more.filter((word) => !word.startsWith('"'))
  const weight = plain.find((word) => /^\d+$/.test(word)) ?? '1'
  const method = plain.find((word): word is keyof typeof methods => word in methods) ?? 'gate'
  if (where.includes('->')) {
    remark(setting, `${where}: a range; write each real server of it`)
    return ''
  }
  const found = endpoint(where)
  if (found === undefined) {
    remark(setting, `real ${where} is left out: keepalived.conf takes addresses, not names`)
    return ''
  }
  const port = found.port || (target?.port ?? '')
  const request = quoted[0] ?? of.text('request')
  const receive = quoted[1] ?? of.text('receive')
  const check = checker({ of, setting, request, receive, target, found, port }, remark)
  return `    real_server ${found.address} ${port} {
        weight ${weight}
        lvs_method ${methods[method]}
${check.map((line) => `        ${line}\n`).join('')}    }
`
}

interface Asked {
  readonly of: Settings
  readonly setting: Setting
  readonly request: string | undefined
  readonly receive: string | undefined
  readonly target: Endpoint | undefined
  readonly found: Endpoint
  readonly port: string
}

const block = (name: string, lines: readonly string[]): string[] => [
  `${name} {`,
  ...lines.map((line) => `    ${line}`),
  '}',
]

/** What looks at the real server; without one it counts as up. */
function checker(asked: Asked, remark: Remark): string[] {
  const { of, setting, port, found, target } = asked
  const type = of.text('checktype') ?? 'negotiate'
  const port2 = of.text('checkport')
  // In the checker and not in the virtual server: there keepalived takes no 0.
  const retry = `retry ${Math.max(0, of.number('failurecount', 1) - 1)}`
  const timeout = type === 'negotiate' ? of.number('negotiatetimeout', 30) : of.number('checktimeout', 5)
  const connection = [...(port2 === undefined ? [] : [`connect_port ${port2}`]), `connect_timeout ${timeout}`, retry]
  const command = of.text('checkcommand')
  switch (type) {
    case 'on':
      return []
    case 'off':
      remark(setting, 'checktype off: the server is not checked and counts as up; ldirectord never used it')
      return []
    case 'connect':
      return block('TCP_CHECK', connection)
    case 'ping':
      return block('PING_CHECK', connection.slice(-2))
    case 'external':
    case 'external-perl':
      if (type === 'external-perl') remark(setting, 'external-perl is run as a program: it must be executable')
      return block('MISC_CHECK', [
        `misc_path "${command ?? ''} ${target?.address ?? '0'} ${target?.port ?? '0'} ${found.address} ${port}"`,
        `misc_timeout ${timeout}`,
        retry,
      ])
    default:
      if (type !== 'negotiate') remark(setting, `checktype ${type}: negotiate is used at every check`)
      return negotiated(asked, connection, remark)
  }
}

const services: Readonly<Record<string, string>> = {
  '25': 'smtp',
  '53': 'dns',
  '80': 'http',
  '443': 'https',
  '587': 'submission',
}

function negotiated(
  { of, setting, request, receive, port }: Asked,
  connection: readonly string[],
  remark: Remark,
): string[] {
  const service = of.text('service') ?? services[port] ?? 'none'
  const method = of.text('httpmethod')
  switch (service) {
    case 'http':
    case 'https':
      return block(service === 'http' ? 'HTTP_GET' : 'SSL_GET', [
        ...block('url', [
          `path ${request === undefined ? '/' : request.startsWith('/') ? request : `/${request}`}`,
          ...(method === undefined || method === 'GET' ? [] : [`method ${method}`]),
          ...(receive === undefined ? [] : [`regex "${receive.replace(/["\\]/g, '\\$&')}"`]),
        ]),
        ...connection,
      ])
    case 'smtp':
    case 'submission':
      return block('SMTP_CHECK', connection)
    case 'dns':
      return block('DNS_CHECK', ['type A', ...(request === undefined ? [] : [`name ${request}`]), ...connection])
    case 'simpletcp':
      return block('TCP_CHECK', [
        ...(request === undefined ? [] : [`send "${request}"`]),
        ...(receive === undefined ? [] : [`expect_regex "${receive.replace(/["\\]/g, '\\$&')}"`]),
        ...connection,
      ])
    default:
      remark(setting, `service ${service}: only whether it takes connections is checked (TCP_CHECK)`)
      return block('TCP_CHECK', connection)
  }
}

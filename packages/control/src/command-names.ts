/**
 * The commands as completion and suggestions know them; a test compares this with what the parser takes.
 */
export interface KnownCommand {
  readonly name: string
  readonly doc: string
  readonly options: readonly string[]
  /** What its first word is. */
  readonly word?: 'service' | 'server' | 'host' | 'state' | 'instance' | 'file' | 'shell' | 'prober'
}

export const knownCommands: readonly KnownCommand[] = [
  { name: 'status', doc: 'virtual and real servers', options: ['--json', '--watch', '--exit-code'], word: 'service' },
  { name: 'servers', doc: 'all real servers', options: ['--json', '--down'], word: 'service' },
  { name: 'checks', doc: 'all checks', options: ['--json', '--down'], word: 'service' },
  { name: 'watch', doc: 'live screen', options: ['--every'], word: 'service' },
  { name: 'explain', doc: 'why something is as it is, what a code means', options: ['--json'], word: 'service' },
  {
    name: 'check',
    doc: 'read a configuration file',
    options: ['--json', '--strict', '--config-id'],
    word: 'file',
  },
  { name: 'config', doc: 'print a configuration, minimal', options: ['--json', '--config-id'], word: 'file' },
  { name: 'convert', doc: 'keepalived.conf to JSON and back', options: ['--to', '--config-id'], word: 'file' },
  { name: 'fmt', doc: 'lay a keepalived.conf out', options: ['--write', '--check'], word: 'file' },
  {
    name: 'doctor',
    doc: 'whether this machine is fit for it',
    options: ['--json', '--all', '--real-server', '--vip', '--method', '--fix', '--config-id'],
    word: 'file',
  },
  { name: 'genhash', doc: 'the MD5 of a page, for digest', options: [] },
  { name: 'reload', doc: 'read the configuration again', options: ['--json', '--confirm'] },
  { name: 'confirm', doc: 'keep what was reloaded on trial', options: ['--json'] },
  { name: 'plan', doc: 'what a reload would change', options: ['--json'], word: 'file' },
  { name: 'drain', doc: 'take a real server out', options: ['--json', '--deadline', '--wait'], word: 'server' },
  { name: 'disable', doc: 'weight 0 for a real server', options: ['--json'], word: 'server' },
  { name: 'enable', doc: 'put a real server back', options: ['--json'], word: 'server' },
  { name: 'weight', doc: 'another weight than configured', options: ['--json'], word: 'server' },
  { name: 'force', doc: 'believe a real server up or down', options: ['--json'], word: 'state' },
  {
    name: 'maintenance',
    doc: 'drain a host everywhere',
    options: ['--json', '--off', '--deadline', '--wait'],
    word: 'host',
  },
  { name: 'add', doc: 'a further real server', options: ['--json', '--weight', '--like'], word: 'service' },
  { name: 'remove', doc: 'leave a real server out', options: ['--json'], word: 'server' },
  {
    name: 'remove-service',
    doc: 'leave a virtual server out',
    options: ['--json', '--drain', '--deadline', '--wait'],
    word: 'service',
  },
  { name: 'reset', doc: 'forget what was asked for by hand', options: ['--json'], word: 'server' },
  {
    name: 'add-service',
    doc: 'a further virtual server',
    options: ['--json', '--file', '--algo', '--method', '--check'],
    word: 'file',
  },
  { name: 'vrrp', doc: 'VRRP instances, switch-over by hand', options: ['--json'], word: 'instance' },
  { name: 'probers', doc: 'the processes that probe', options: ['--json'], word: 'prober' },
  { name: 'drift', doc: 'differences in the kernel', options: ['--json', '--now', '--exit-code'] },
  { name: 'events', doc: 'what happened', options: ['--json', '--follow', '--after'] },
  { name: 'stop', doc: 'end the director', options: ['--json', '--keep'] },
  { name: 'version', doc: 'versions', options: ['--json'] },
  { name: 'completion', doc: 'print a completion script', options: [], word: 'shell' },
]

/** Options every command takes. */
export const commonOptions: readonly string[] = ['--socket', '--help']

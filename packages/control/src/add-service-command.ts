import type { Argv } from 'yargs'
import type { AddServiceOptions } from './commands/add-service.ts'

/** The words of `ipvs-ctl add-service`. */
export function addServiceWords(yargs: Argv): Argv {
  return yargs
    .positional('service', { type: 'string', describe: 'Its address and port: 192.0.2.9:80, 192.0.2.9:53/udp' })
    .positional('servers', { type: 'string', array: true, describe: 'Its real servers: 10.0.0.2:80' })
    .option('file', {
      type: 'string',
      requiresArg: true,
      describe: 'virtual_server blocks as in keepalived.conf, instead of the words above; - is standard input',
    })
    .option('algo', { type: 'string', requiresArg: true, default: 'wlc', describe: 'How connections are spread' })
    .option('method', { type: 'string', requiresArg: true, default: 'DR', describe: 'How they reach it: DR, NAT, TUN' })
    .option('check', {
      type: 'string',
      requiresArg: true,
      default: 'tcp',
      describe: 'How it is checked: tcp, none, or the path of a page',
    })
    .option('json', { type: 'boolean', default: false, describe: 'For programs: JSON' })
    .check(({ service, file }) => {
      if ((service === undefined) === (file === undefined)) throw new Error('wanted a virtual server, or --file')
      return true
    })
}

/** What they ask for. */
export function addServiceOptions(a: Readonly<Record<string, unknown>>): AddServiceOptions {
  const json = a['json'] === true
  if (typeof a['file'] === 'string') return { from: { file: a['file'] }, json }
  const servers = Array.isArray(a['servers']) ? a['servers'].map(String) : []
  const words = { scheduler: String(a['algo']), method: String(a['method']), check: String(a['check']) }
  return { from: { service: String(a['service']), servers, ...words }, json }
}

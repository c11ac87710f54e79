import { parseEndpoint } from '@ipvs-director/core'
import { ControlError } from './control-error.ts'

/** A virtual server in few words; whoever wants to say more writes keepalived.conf. */
export interface BriefService {
  /** `192.0.2.1:80`, `192.0.2.1:53/udp`, `fwmark 7`, `fwmark 7/inet6`. */
  readonly service: string
  /** `10.0.0.2:80`. */
  readonly servers: readonly string[]
  readonly scheduler: string
  /** `DR`, `NAT`, `TUN`. */
  readonly method: string
  /** `tcp`, `none`, or a path for HTTP. */
  readonly check: string
}

/** The same as keepalived.conf, for the director's reader. Throws a ControlError for what cannot be written so. */
export function serviceText({ service, servers, scheduler, method, check }: BriefService): string {
  const { header, lines } = headOf(service)
  return [
    `virtual_server ${header} {`,
    ...[...lines, `lb_algo ${scheduler}`, `lb_kind ${method}`].map((line) => `    ${line}`),
    ...servers.flatMap((server) => [
      `    real_server ${endpointWords(server)} {`,
      ...checkLines(check).map((line) => `        ${line}`),
      '    }',
    ]),
    '}',
    '',
  ].join('\n')
}

function headOf(service: string): { readonly header: string; readonly lines: readonly string[] } {
  const [, mark, family] = /^fwmark (\d+)(?:\/(inet6?))?$/.exec(service) ?? []
  if (mark !== undefined) return { header: `fwmark ${mark}`, lines: family === 'inet6' ? ['ip_family inet6'] : [] }
  const [, endpoint = service, protocol = 'tcp'] = /^(.*)\/(tcp|udp|sctp)$/.exec(service) ?? []
  return { header: endpointWords(endpoint), lines: [`protocol ${protocol.toUpperCase()}`] }
}

/** `10.0.0.2:80` as `10.0.0.2 80`. */
function endpointWords(text: string): string {
  const endpoint = parseEndpoint(text)
  if (endpoint === undefined) {
    throw new ControlError('refused', `${JSON.stringify(text)} is not an address with a port (10.0.0.2:80)`, {
      code: 'bad-address',
    })
  }
  return `${endpoint.address} ${endpoint.port}`
}

function checkLines(check: string): string[] {
  if (check === 'none') return []
  if (check === 'tcp') return ['TCP_CHECK {', '}']
  if (/^\/[^\s"{}]*$/.test(check)) return ['HTTP_GET {', '    url {', `        path ${check}`, '    }', '}']
  throw new ControlError('refused', `${JSON.stringify(check)} is no check: tcp, none, or a path such as /healthz`, {
    code: 'bad-check',
  })
}

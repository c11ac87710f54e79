import { existsSync } from 'node:fs'
import { seconds } from '@ipvs-director/core'
import type { Host } from '../host.ts'
import type { LabProcess } from '../process.ts'
import { until } from '../until.ts'

export interface NginxOptions {
  /** Default 80. */
  readonly port?: number
  /** Default the host's name and a line end. */
  readonly body?: string
  /** Default all of both families. */
  readonly addresses?: readonly string[]
}

/** Starts nginx in a host, answering every path with one text on all addresses, and waits until it listens. */
export async function startNginx(host: Host, options: NginxOptions = {}): Promise<LabProcess> {
  const port = options.port ?? 80
  const folder = `nginx-${port}`
  const config = host.writeFile(
    `${folder}/nginx.conf`,
    nginxConfig(port, options.body ?? `${host.name}\n`, options.addresses ?? ['0.0.0.0', '[::]']),
  )
  const pidFile = `${host.folder}/${folder}/nginx.pid`
  const nginx = host.spawn(['nginx', '-p', `${host.folder}/${folder}/`, '-c', config, '-e', 'stderr'])
  await until(`nginx listens on ${host.name}`, seconds(10), () => {
    if (nginx.code !== undefined) throw new Error(nginx.stderr)
    return existsSync(pidFile) // written once it listens
  })
  return nginx
}

/** One process without workers and without a change of user: the guest's root may be nobody in particular outside. */
function nginxConfig(port: number, body: string, addresses: readonly string[]): string {
  const text = body.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
  return `daemon off;
master_process off;
user root;
pid nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    ${addresses.map((address) => `listen ${address}:${port};`).join('\n    ')}
    default_type text/plain;
    location / { return 200 "${text}"; }
  }
}
`
}

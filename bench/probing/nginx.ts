import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificate, ports } from './servers.ts'

/** Where nginx may be beside PATH. */
export const places = `${process.env['PATH'] ?? ''}:/usr/sbin`

/** The command line of an nginx that answers TLS, with everything it needs in the folder. */
export function nginxCommand(folder: string): readonly string[] {
  const { cert, key } = certificate()
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder};`)
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off;
master_process off;
error_log stderr crit;
pid ${folder}/nginx.pid;
events { worker_connections 8192; }
http {
  ${temporary.join('\n  ')}
  access_log off;
  keepalive_timeout 0;
  server {
    listen ${ports.SSL_GET} ssl backlog=4096;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache off;
    return 200 hello;
  }
}
`,
  )
  return ['nginx', '-e', 'stderr', '-c', join(folder, 'nginx.conf')]
}

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toolEnvironment } from '../tools.ts'

/** A self-signed certificate and its key, as PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

const made = new Map<string, Certificate>()

/** A certificate for a DNS name, made by openssl once per process. */
export function certificate(name: string): Certificate {
  const known = made.get(name) ?? make(name)
  made.set(name, known)
  return known
}

function make(name: string): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'lab-certificate-'))
  const key = join(folder, 'key.pem')
  const cert = join(folder, 'cert.pem')
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  try {
    const { status, stderr } = spawnSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert], {
      encoding: 'utf8',
      env: toolEnvironment(),
    })
    if (status !== 0) throw new Error(`openssl made no certificate: ${stderr}`)
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { root } from './root.ts'

/** docker/compose.yaml. */
export const composeFile = join(root, 'docker/compose.yaml')

/** The members of the Compose specification that our file uses; a test refuses any other. */
export interface ComposeService {
  readonly image: string
  readonly build?: {
    readonly context: string
    readonly dockerfile: string
    readonly args?: Readonly<Record<string, string>>
  }
  readonly hostname: string
  readonly cap_add?: readonly string[]
  readonly sysctls?: Readonly<Record<string, string | number>>
  readonly volumes?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly command?: readonly string[]
  readonly init?: boolean
  readonly networks: Readonly<Record<string, { readonly ipv4_address: string }>>
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly networks: Readonly<Record<string, { readonly ipam: { readonly config: readonly { readonly subnet: string }[] } }>> // prettier-ignore
}

/** The file with its merged keys (`<<`), as Docker reads it. */
export const readCompose = (): ComposeFile => parse(readFileSync(composeFile, 'utf8'), { merge: true }) as ComposeFile

/** `./a.conf:/etc/a.conf:ro` */
export function volumesOf(service: ComposeService): { file: string; at: string; mode: string }[] {
  return (service.volumes ?? []).map((volume) => {
    const [file = '', at = '', mode = 'rw'] = volume.split(':')
    return { file: resolve(dirname(composeFile), file), at, mode }
  })
}

import { openRoute } from '@ipvs-director/linux'
import { writeFileSync } from 'node:fs'
import { sysctlFile } from './facts.ts'
import type { Mending } from './findings.ts'

/** Carries them out in order; rejects with what the kernel refused. */
export async function mend(mendings: readonly Mending[]): Promise<void> {
  const client = openRoute()
  try {
    for (const mending of mendings) {
      if (mending.do === 'set') {
        writeFileSync(sysctlFile(mending.setting), `${mending.value}\n`)
        continue
      }
      const link = await client.link(mending.interface)
      if (link === undefined) throw new Error(`there is no interface ${mending.interface}`)
      if (mending.do === 'up') await client.setLink(link.index, { up: true })
      else await client.addAddress({ index: link.index, address: mending.address, prefix: mending.prefix, nodad: true })
    }
  } finally {
    client.close()
  }
}

/** Lines of Debian's files that do the same at every boot. */
export function keeping(mendings: readonly Mending[]): { file: string; lines: string[] }[] {
  const settings = mendings.flatMap((one) => (one.do === 'set' ? [`${one.setting} = ${one.value}`] : []))
  const stanzas = mendings.flatMap((one) =>
    one.do === 'add' && one.interface === 'lo'
      ? [`iface lo ${one.address.includes(':') ? 'inet6' : 'inet'} static`, `    address ${one.address}/${one.prefix}`]
      : [],
  )
  return [
    { file: '/etc/sysctl.d/60-ipvs-real-server.conf', lines: settings },
    { file: '/etc/network/interfaces.d/ipvs-vip', lines: stanzas },
  ].filter(({ lines }) => lines.length > 0)
}

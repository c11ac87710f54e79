import { upLab, type Host } from '../test/lab/index.ts'

/**
 * Does one thing in a namespace made for it. Emptying a table is not enough: the kernel keeps deleted destinations for two
 * minutes and looks through all of them whenever one is added (ip_vs_ctl.c, the trash), so every later contestant would
 * pay for the earlier ones.
 */
export async function fresh<T>(work: (host: Host) => Promise<T>): Promise<T> {
  const lab = await upLab({ networks: ['none'], hosts: { bench: { links: { none: ['10.0.0.1/24'] } } } })
  try {
    return await work(lab.hosts.bench)
  } finally {
    await lab.down()
  }
}

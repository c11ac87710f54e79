/** In a namespace of the test's own: a veth pair has a driver that knows its carrier, and no PHY. */
import { expect, test } from 'vitest'
import { openLinkbeat } from './linkbeat.ts'
import { withinNamespace } from './namespace.ts'
import { joinedNamespaces, noNamespaces } from './testing/index.ts'

test('a cable that is pulled is seen by the driver and by the flags; what has no PHY cannot be asked for it', async ({
  skip,
}) => {
  skip(noNamespaces !== undefined, noNamespaces)
  const lan = await joinedNamespaces()
  const linkbeat = withinNamespace(lan.left.path, () => openLinkbeat())
  try {
    const look = () => (['MII', 'ETHTOOL', 'IOCTL'] as const).map((kind) => linkbeat.look('eth0', kind))
    await lan.left.run('while ! ip link show eth0 | grep -q LOWER_UP; do sleep 0.01; done')
    expect(look()).toEqual([undefined, true, true])
    await lan.right.run('ip link set eth0 down')
    await lan.left.run('while ip link show eth0 | grep -q LOWER_UP; do sleep 0.01; done')
    expect(look()).toEqual([undefined, false, false])
    expect(linkbeat.look('nosuch0', 'ETHTOOL')).toBeUndefined()
  } finally {
    linkbeat.close()
    lan.close()
  }
})

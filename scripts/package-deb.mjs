/**
 * Makes ipvs-director_VERSION_ARCH.deb, in build/packages or the folder named.
 *
 * Usage: npm run package:deb [-- FOLDER] [-- --bundle-node] [-- --fast] [-- --built]
 *
 *   --bundle-node   this Node.js comes along, for systems whose own is older than 20.19
 *   --fast          hardly compressed, for trying out
 *   --built         build/ is taken as it is
 *
 * Needs dpkg-deb. The same sources give the same file: times are those of the last commit.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { root } from './setup/root.mjs'
import { layOut, run, version, write } from './package/tree.mjs'

const words = process.argv.slice(2)
const bundleNode = words.includes('--bundle-node')
const built = process.argv.includes('--built')
const fast = words.includes('--fast')

const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch

const control = (kilobytes) => `Package: ipvs-director
Version: ${version}
Architecture: ${architecture}
Maintainer: ipvs-director <ipvs-director@localhost>
Installed-Size: ${kilobytes}
Depends: ${bundleNode ? 'libc6 (>= 2.28), libstdc++6' : 'libc6, nodejs (>= 20.19)'}
Recommends: iproute2, kmod, ipvsadm
Suggests: nftables
Section: net
Priority: optional
Description: LVS director and health checker that reads keepalived.conf
 Probes real servers, keeps the kernel's IPVS table right, fails over by VRRP,
 and tells the truth about all of it: ipvs-ctl shows every server with its
 state, since when and why.
`

/** Nothing is started by installing: a keepalived may be at work, and two programs must not write one table. */
const postinst = `#!/bin/sh
set -e
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  if [ -n "$2" ] && systemctl --quiet is-active ipvs-director; then
    echo "ipvs-director still runs as version $2; to go on with the new one without an interruption:"
    echo "  ipvs-ctl stop --keep && systemctl start ipvs-director"
  elif [ -z "$2" ]; then
    echo "To begin: ipvs-ctl check && ipvs-ctl doctor && systemctl enable --now ipvs-director"
  fi
fi
`
const prerm = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl disable --now ipvs-director || true
fi
`
const postrm = `#!/bin/sh
set -e
if [ "$1" = purge ]; then
  rm -rf "$DPKG_ROOT/run/ipvs-director"
fi
if [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
`

process.env.SOURCE_DATE_EPOCH ??= lastCommit()
const target = mkdtempSync(join(tmpdir(), 'package-'))
try {
  await layOut(target, { node: bundleNode, built })
  write(join(target, 'usr/lib/systemd/system/ipvs-director.service'), '')
  copyFileSync(
    join(root, 'packaging/ipvs-director.service'),
    join(target, 'usr/lib/systemd/system/ipvs-director.service'),
  )
  write(join(target, 'etc/default/ipvs-director'), '')
  copyFileSync(join(root, 'packaging/default'), join(target, 'etc/default/ipvs-director'))
  const kilobytes = Number(run(['du', '-sk', target]).split('\t')[0])
  write(join(target, 'DEBIAN/control'), control(kilobytes))
  write(join(target, 'DEBIAN/conffiles'), '/etc/default/ipvs-director\n')
  write(join(target, 'DEBIAN/postinst'), postinst, 0o755)
  write(join(target, 'DEBIAN/prerm'), prerm, 0o755)
  write(join(target, 'DEBIAN/postrm'), postrm, 0o755)
  run(['chmod', '-R', 'u=rwX,go=rX', target])
  const folder = resolve(words.find((word) => !word.startsWith('-')) ?? join(root, 'build/packages'))
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `ipvs-director_${version}_${architecture}.deb`)
  run(['dpkg-deb', ...(fast ? ['-Zgzip', '-z1'] : ['-Zxz']), '--root-owner-group', '--build', target, file])
  console.log(file)
} finally {
  rmSync(target, { recursive: true, force: true })
}

function lastCommit() {
  try {
    return run(['git', 'log', '-1', '--format=%ct'], { cwd: root }).trim()
  } catch {
    return String(Math.floor(Date.now() / 1000))
  }
}

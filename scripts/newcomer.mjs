/**
 * The path of a newcomer, on a machine of its own: a fresh Debian, the .deb installed, the guide for LVS-DR typed in as it
 * stands, a client that is served by the real servers in turn; one of them dies, and is taken out; the package is purged.
 *
 * Usage: npm run newcomer [-- --keep]       (as root; --keep leaves the Debian in .cache/newcomer for the next time)
 *
 * Needs debootstrap, a Debian mirror and user-mode-linux. systemd is process 1 there, so this also shows the unit at work.
 * Takes two or three minutes, and is not part of the tests for that and for the mirror.
 */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './setup/root.mjs'

const keep = process.argv.includes('--keep')
const suite = 'bookworm'
const needed = ['systemd', 'systemd-sysv', 'kmod', 'iproute2', 'ipvsadm', 'procps', 'curl']
const modules = '/usr/lib/uml/modules'

const guide = readFileSync(join(root, 'docs/guides/lvs-dr.md'), 'utf8')
const blocks = (language) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text]) => text)
const [realServer = '', , director = ''] = blocks('sh')
const [config = ''] = blocks('conf')

process.exitCode = main()

function main() {
  if (process.getuid?.() !== 0) return complain('this needs root, to make a Debian of its own')
  for (const program of ['debootstrap', 'linux.uml']) {
    if (spawnSync('which', [program]).status !== 0) return complain(`${program} is not installed`)
  }
  const place = keep ? join(root, '.cache/newcomer') : mkdtempSync(join(tmpdir(), 'newcomer-'))
  try {
    const debian = join(place, 'root')
    if (!existsSync(join(debian, 'etc/debian_version'))) {
      console.log(`a fresh Debian (${suite})`)
      run(['debootstrap', '--variant=minbase', `--include=${needed.join(',')}`, suite, debian])
    }
    console.log('the package')
    run([process.execPath, join(root, 'scripts/package-deb.mjs'), place, '--bundle-node', '--fast'])
    const deb = readdirSync(place).find((name) => name.endsWith('.deb')) ?? ''
    cpSync(join(place, deb), join(debian, 'ipvs-director.deb'))
    prepare(debian)
    console.log('its first boot')
    const memory = join(place, 'memory')
    mkdirSync(memory, { recursive: true })
    run(
      [
        'linux.uml',
        'mem=1G',
        'rootfstype=hostfs',
        `rootflags=${debian}`,
        'rw',
        'init=/lib/systemd/systemd',
        'con=null',
        'con0=fd:0,fd:1',
        'quiet',
      ],
      { env: { ...process.env, TMPDIR: memory }, timeout: 300_000 },
    )
    const told = readFileSync(join(debian, 'result'), 'utf8')
    console.log(told)
    return /^all is well$/m.test(told) ? 0 : 1
  } finally {
    if (!keep) rmSync(place, { recursive: true, force: true })
  }
}

function prepare(debian) {
  mkdirSync(join(debian, 'lib/modules'), { recursive: true })
  cpSync(modules, join(debian, 'lib/modules'), { recursive: true })
  mkdirSync(join(debian, 'etc/keepalived'), { recursive: true })
  writeFileSync(join(debian, 'etc/keepalived/keepalived.conf'), config)
  writeFileSync(join(debian, 'etc/hostname'), 'director1\n')
  writeFileSync(join(debian, 'newcomer.sh'), script())
  chmodSync(join(debian, 'newcomer.sh'), 0o755)
  rmSync(join(debian, 'result'), { force: true })
  const units = join(debian, 'etc/systemd/system')
  mkdirSync(join(units, 'multi-user.target.wants'), { recursive: true })
  writeFileSync(join(units, 'newcomer.service'), '[Unit]\nAfter=basic.target\n[Service]\nExecStart=/newcomer.sh\n')
  link('../newcomer.service', join(units, 'multi-user.target.wants/newcomer.service'))
  for (const unit of ['getty@tty1', 'systemd-firstboot']) link('/dev/null', join(units, `${unit}.service`))
}

function link(target, path) {
  rmSync(path, { force: true })
  symlinkSync(target, path)
}

/** What is typed: the guide's own lines. The other machines are network namespaces on a bridge that is called eth0. */
function script() {
  return `#!/bin/bash
exec > /result 2>&1
trap 'sync; poweroff -f' EXIT
set -e
ip link add eth0 type bridge
ip addr add 10.1.0.1/24 dev eth0
ip link set eth0 up
machine() {
  ip netns add $1
  ip link add $1 type veth peer name eth0 netns $1
  ip link set $1 master eth0 up
  ip -n $1 addr add $2/24 dev eth0
  ip -n $1 link set eth0 up
  ip -n $1 link set lo up
}
machine client 10.1.0.10
machine rs1 10.1.0.11
machine rs2 10.1.0.12
dpkg -i /ipvs-director.deb
for one in rs1 rs2; do
  ip netns exec $one /usr/lib/ipvs-director/node -e "require('http').createServer((q, r) => r.end('$one\\n')).listen(80)" &
  echo $! > /run/$one.pid
  echo "== on $one"
  ip netns exec $one bash -x << 'END' || true
${realServer}
END
  ip netns exec $one ipvs-ctl doctor --real-server --vip 10.1.0.100
done
echo "== on the director"
bash -ex << 'END'
${director}
END
sleep 5
echo "== at the client"
answers() { for i in 1 2 3 4; do ip netns exec client curl -sS -m 5 http://10.1.0.100/; done | sort | uniq -c | tr -s '\\n ' ' '; }
both=$(answers); echo "$both"; [ "$both" = " 2 rs1 2 rs2 " ]
kill $(cat /run/rs1.pid)
sleep 8
one=$(answers); echo "$one"; [ "$one" = " 4 rs2 " ]
ipvs-ctl status
ipvsadm -Ln
systemctl reload ipvs-director
echo "== and away"
dpkg -P ipvs-director
[ "$(ipvsadm -Ln | wc -l)" = 3 ]
[ ! -e /usr/lib/ipvs-director ]
[ ! -e /etc/default/ipvs-director ]
echo all is well
`
}

function run([program, ...args], options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? ''}\n${stdout}\n${stderr}`)
}

function complain(text) {
  console.error(`newcomer: ${text}`)
  return 2
}

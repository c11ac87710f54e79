/**
 * Makes ipvs-director-VERSION-ARCH.run, in build/packages or the folder named: one file with everything in it, this
 * Node.js too.
 *
 * Usage: npm run package:single [-- FOLDER] [-- --fast] [-- --built]
 *
 * It is a shell script with an archive behind it, and not a single executable application of Node.js: those hold one
 * CommonJS script, and this is several programs of ES modules, loaded piece by piece, with a native addon that has to be
 * a file anyway. It unpacks itself once into a folder that is named by its content and belongs to the user (root:
 * /var/cache/ipvs-director), and then costs a few milliseconds.
 *
 *   ipvs-director.run -f FILE         the director
 *   ipvs-director.run ctl status      ipvs-ctl; likewise when the file, or a link to it, is called ipvs-ctl
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { root } from './setup/root.mjs'
import { layOut, run, version } from './package/tree.mjs'

const built = process.argv.includes('--built')
const fast = process.argv.includes('--fast')

const script = (content) => `#!/bin/sh
# ipvs-director ${version}: a shell script with an archive behind it.
set -eu
umask 022
if [ -n "\${IPVS_DIRECTOR_UNPACK:-}" ]; then base=$IPVS_DIRECTOR_UNPACK
elif [ "$(id -u)" = 0 ]; then base=/var/cache/ipvs-director
else base=\${XDG_CACHE_HOME:-$HOME/.cache}/ipvs-director
fi
place=$base/${content}
if [ ! -x "$place/usr/sbin/ipvs-director" ]; then
  mkdir -p "$base"
  new=$(mktemp -d "$base/new.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  chmod 755 "$new"
  tail -n +__LINE__ "$0" | gzip -dc | tar -x -C "$new" --no-same-owner
  mv -T "$new" "$place" 2>/dev/null || [ -x "$place/usr/sbin/ipvs-director" ]
  rm -rf "$new"
  trap - EXIT
fi
program=ipvs-director
case \${0##*/} in ipvs-ctl*) program=ipvs-ctl ;; esac
if [ "\${1:-}" = ctl ]; then program=ipvs-ctl; shift; fi
exec "$place/usr/sbin/$program" "$@"
`

const target = mkdtempSync(join(tmpdir(), 'package-'))
try {
  await layOut(target, { node: true, built })
  const archive = join(target, '..', `${target.split('/').at(-1)}.tar`)
  run(['tar', '--sort=name', '--owner=0', '--group=0', '--mtime=@0', '-cf', archive, '-C', target, 'usr'])
  run(['gzip', fast ? '-1n' : '-9n', archive])
  const packed = readFileSync(`${archive}.gz`)
  rmSync(`${archive}.gz`)
  const head = script(`${version}-${createHash('sha256').update(packed).digest('hex').slice(0, 16)}`)
  const folder = resolve(process.argv.slice(2).find((word) => !word.startsWith('-')) ?? join(root, 'build/packages'))
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `ipvs-director-${version}-${process.arch}.run`)
  const text = head.replace('__LINE__', String(head.split('\n').length))
  writeFileSync(file, Buffer.concat([Buffer.from(text), packed]))
  chmodSync(file, 0o755)
  console.log(file)
} finally {
  rmSync(target, { recursive: true, force: true })
}

/** The licences of the program and of what is bundled into it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../setup/root.mjs'

/** Debian's copyright file, as plain text. */
export function licences() {
  const bundled = [...dependencies()].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
    const text = file === undefined ? `Licence: ${license}` : readFileSync(join(folder, file), 'utf8').trim()
    return `${name} ${version} (${license})\n\n${text}`
  })
  const own = readFileSync(join(root, 'LICENSE'), 'utf8').trim()
  return `ipvs-director\n\n${own}\n\nBundled with it:\n\n${bundled.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`
}

/** Folders of the packages that run-time dependencies lead to, ours left out. */
function dependencies() {
  const found = new Set()
  const visit = (folder) => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    for (const name of Object.keys(dependencies)) {
      const place = [join(folder, 'node_modules', name), join(root, 'node_modules', name)].find((path) =>
        existsSync(path),
      )
      if (place === undefined || name.startsWith('@ipvs-director/') || name === 'ipvs-netlink' || found.has(place))
        continue
      found.add(place)
      visit(place)
    }
  }
  for (const name of readdirSync(join(root, 'packages'))) visit(join(root, 'packages', name))
  return found
}

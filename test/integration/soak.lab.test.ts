/** The short cut of `npm run soak`: a minute of anything, with a seed that is the same every time. */
import { seconds } from '@ipvs-director/core'
import { expect, test } from 'vitest'
import { soak } from '../soak/soak.ts'

const seed = Number(process.env['SOAK_SEED'] ?? 7)

test(
  'a minute of anything: nothing is lost, nothing breaks, everything is explained',
  { timeout: 480_000 },
  async () => {
    const told: string[] = []
    const { lines, failures } = await soak({ length: seconds(60), seed, say: (line) => void told.push(line) })
    console.log(lines.join('\n'))
    expect(failures, told.join('\n')).toEqual([])
  },
)

/** `ipvs-ctl doctor`: whether this machine is fit to be a director, or a real server. */
import type { Diagnosis, Doctor, DoctorWish, Finding } from '@ipvs-director/control'
import { count, describeError, parseAddress } from '@ipvs-director/core'
import { loadFile } from '../load.ts'
import type { DirectorFacts, Facts } from './facts.ts'
import { commandOf, worstFirst, type Found, type Mending } from './findings.ts'
import { gatherFacts } from './gather.ts'
import { looks } from './looks.ts'
import { keeping, mend } from './mend.ts'
import { lookAtRealServer, type RealServerWish } from './real-server-looks.ts'

export const doctor: Doctor = async (wish) => {
  if (wish.realServer !== undefined) return realServer(wish.realServer, wish.fix)
  const facts = await directorFacts(await gatherFacts(), wish)
  return tell(looks.flatMap((look) => look(facts)))
}

async function realServer(wish: NonNullable<DoctorWish['realServer']>, fix: boolean): Promise<Diagnosis> {
  const vips = wish.vips.map((text) => {
    const vip = parseAddress(text)
    if (vip === undefined) throw new Error(`--vip ${text}: not an IP address`)
    return vip
  })
  const asked: RealServerWish = { vips, method: wish.method }
  const found = lookAtRealServer(await gatherFacts(), asked)
  const mendings = found.flatMap((one) => one.mendings ?? [])
  if (!fix || mendings.length === 0) return tell(found)
  await mend(mendings)
  return tell(lookAtRealServer(await gatherFacts(), asked), mendings)
}

/** What is found, without what only this program needs. */
function tell(found: readonly Found[], done: readonly Mending[] = []): Diagnosis {
  return {
    findings: worstFirst(found).map(bare),
    done: done.map(commandOf),
    keep: keeping(done),
  }
}

function bare(found: Found): Finding {
  const { name, text } = found
  return 'why' in found
    ? { name, verdict: found.verdict, text, why: found.why, mend: found.mend }
    : { name, verdict: found.verdict, text }
}

async function directorFacts(found: Facts, { file, configId, strays }: DoctorWish): Promise<DirectorFacts> {
  const facts = { ...found, strays }
  try {
    const { config, errors } = await loadFile(file, { configId })
    const trouble = errors === 0 ? undefined : count(errors, 'error')
    return { ...facts, configFile: file, config, configTrouble: trouble }
  } catch (error) {
    return { ...facts, configFile: file, config: undefined, configTrouble: describeError(error) }
  }
}

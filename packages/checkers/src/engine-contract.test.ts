import { systemClock } from '@ipvs-director/core'
import { createEngine } from './engine.ts'
import { proberContract } from './testing/prober-contract.ts'

proberContract((events, firstWait) => createEngine({ clock: systemClock, events, firstWait }))

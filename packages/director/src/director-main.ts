/** What bin/ipvs-director.ts loads: the director as one script, built for its code to be taken from a cache. */
export { compileLittle } from './compiling.ts'
export { keepYoungGenerationSmall } from './garbage.ts'
export { main } from './main.ts'

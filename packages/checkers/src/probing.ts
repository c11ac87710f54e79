/** What probes, apart from what checkers are: most of the code, which a start needs only once the table is right. */
export * from './engine.ts'
export { proberEnvironment, proberFlags } from './fleet/environment.ts'
export { createFleet, type Fleet, type FleetOptions, type ProberProcess } from './fleet/fleet.ts'
export { genhash, type Output } from './genhash.ts'
export { createNodeIo, type NodeIoOptions } from './io/node-io.ts'
export { scriptIdentities, type ScriptIdentity } from './io/script.ts'

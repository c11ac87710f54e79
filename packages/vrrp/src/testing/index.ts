export * from './configs.ts'
export * from './lan.ts'
export * from './simulation.ts'

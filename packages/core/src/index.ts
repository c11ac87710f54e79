export * from './address.ts'
export * from './clock.ts'
export * from './errors.ts'
export * from './log.ts'

export * from './checks.ts'
export * from './scripted.ts'
export { certificate } from './servers.ts'

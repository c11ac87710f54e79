export * from './checks.ts'
export * from './scripted.ts'

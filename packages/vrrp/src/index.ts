export * from './advertisement.ts'
export * from './link.ts'
export * from './packet.ts'
export * from './rejection.ts'

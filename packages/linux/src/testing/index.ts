export * from './fake-netlink.ts'
export * from './own-namespace.ts'
export * from './segment.ts'

export * from './fake-netlink.ts'

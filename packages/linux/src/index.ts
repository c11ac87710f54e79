export * from './native.ts'
export * from './netlink/channel.ts'

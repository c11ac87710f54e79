export * from './netlink/channel.ts'

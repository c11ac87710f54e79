/** What every netlink channel to the family of families ("nlctrl") does, over the kernel's socket and over a function. */
import { describe, expect, test } from 'vitest'
import { isRefusal, type NetlinkChannel } from '../netlink/channel.ts'
import { genericFamily, MissingFamilyError } from '../netlink/generic.ts'

const getFamily = 3
const noSuchCommand = 200
const nothing = new Uint8Array()

export function channelContract(name: string, open: () => NetlinkChannel): void {
  const within = async <T>(use: (channel: NetlinkChannel) => Promise<T>): Promise<T> => {
    const channel = open()
    try {
      return await use(channel)
    } finally {
      channel.close()
    }
  }

  describe(`a netlink channel over ${name}`, () => {
    test('finds a family', () =>
      within(async (channel) => {
        const family = await genericFamily(channel, 'nlctrl')
        expect(family).toMatchObject({ id: 16, name: 'nlctrl' })
        expect(family.groups.get('notify')).toBe(16)
      }))

    test('a family that is not there is an error of its own', () =>
      within(async (channel) => {
        await expect(genericFamily(channel, 'NOSUCH')).rejects.toThrow(MissingFamilyError)
        await expect(genericFamily(channel, 'NOSUCH')).rejects.toThrow(
          'cannot find the generic netlink family NOSUCH: ENOENT',
        )
      }))

    test('execute answers each request in its place, and the kernel goes on after a refusal', () =>
      within(async (channel) => {
        const family = await genericFamily(channel, 'nlctrl')
        const refused = { errno: 95, code: 'ENOTSUP', detail: undefined }
        const commands = [noSuchCommand, noSuchCommand, noSuchCommand].map((command) => ({ command, payload: nothing }))
        expect(await family.execute(commands)).toEqual([refused, refused, refused])
        expect(await family.execute([])).toEqual([])
      }))

    test('a batch of thousands in few sends, every refusal in its place', () =>
      within(async (channel) => {
        const family = await genericFamily(channel, 'nlctrl')
        const outcomes = await family.executeEach({
          count: 5000,
          command: () => noSuchCommand,
          write: (writer) => {
            writer.zeros(64)
          },
        })
        expect(outcomes).toHaveLength(5000)
        expect(outcomes.every((outcome) => outcome?.code === 'ENOTSUP')).toBe(true)
      }))

    test('calls wait for each other', () =>
      within(async (channel) => {
        const family = await genericFamily(channel, 'nlctrl')
        const [dump, refusal, again] = await Promise.all([
          family.dump({ command: getFamily, payload: nothing }),
          family.ask({ command: noSuchCommand, payload: nothing }),
          family.dump({ command: getFamily, payload: nothing }),
        ])
        expect(isRefusal(dump)).toBe(false)
        expect(refusal).toMatchObject({ errno: 95 })
        expect(again).toEqual(dump)
      }))

    test('a dump of what cannot be dumped is refused', () =>
      within(async (channel) => {
        const family = await genericFamily(channel, 'nlctrl')
        expect(await family.dump({ command: noSuchCommand, payload: nothing })).toMatchObject({ code: 'ENOTSUP' })
      }))

    test('closing rejects what is under way and what comes later', async () => {
      const channel = open()
      const waiting = [channel.dump({ type: 16, payload: nothing }), channel.ask({ type: 16, payload: nothing })]
      channel.close()
      channel.close()
      for (const one of waiting) await expect(one).rejects.toThrow('the netlink channel was closed')
      await expect(channel.execute([{ type: 16, payload: nothing }])).rejects.toThrow('the netlink channel is closed')
    })
  })
}

import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { interfacesOf, namespacesOf, portOf, setUpScript, tearDownScript } from '../../lab/spec.ts'
import { topologies } from '../../lab/topologies.ts'

const spec = {
  networks: ['lan', 'wan'],
  hosts: {
    one: { links: { lan: ['10.0.0.1/24', 'fd00::1/64'] }, sysctls: { 'net.ipv4.ip_forward': 1 } },
    two: { links: { wan: [], lan: ['10.0.0.2/24'] }, ip: ['route add default via 10.0.0.1'] },
  },
} as const

test('interfaces are numbered in the order of a host’s links', () => {
  expect(interfacesOf(spec.hosts.two)).toEqual([
    { name: 'eth0', network: 'wan', addresses: [] },
    { name: 'eth1', network: 'lan', addresses: ['10.0.0.2/24'] },
  ])
})

test('a namespace for every bridge and every host, none of which can be taken for another', () => {
  expect(namespacesOf('lab1x1', spec)).toEqual(['lab1x1.lan', 'lab1x1.wan', 'lab1x1-one', 'lab1x1-two'])
})

test('a bridge’s port fits into the 15 bytes of a device name', () => {
  expect(portOf('a-very-long-host-name', 'eth10').length).toBeLessThanOrEqual(15)
})

test('the set-up says everything that was declared', () => {
  const script = setUpScript('lab1x1', spec)
  for (const line of [
    'netns add lab1x1-one',
    'link add name br0 netns lab1x1.wan type bridge mcast_snooping 0',
    'link add name eth1 netns lab1x1-two type veth peer name two.eth1 netns lab1x1.lan',
    'addr add 10.0.0.1/24 dev eth0',
    'addr add fd00::1/64 dev eth0 nodad',
    'route add default via 10.0.0.1',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'link set two.eth1 master br0 up',
  ]) {
    expect(script.split('\n')).toContain(line)
  }
})

test.for(Object.entries(topologies))('the %s lab is a script that a shell can read', ([, topology]) => {
  const declared = topology()
  for (const script of [setUpScript('lab1x1', declared), tearDownScript('lab1x1', declared)]) {
    execFileSync('sh', ['-n'], { input: script })
  }
})

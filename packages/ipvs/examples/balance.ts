import { address, diff, openIpvs, serviceOf, tableOf } from 'ipvs-netlink'

const ipvs = await openIpvs()
const web = serviceOf({ protocol: 'tcp', address: address('192.0.2.1'), port: 80 }, { scheduler: 'wrr' }, [
  { address: address('10.0.0.2'), port: 80, weight: 3 },
  { address: address('10.0.0.3'), port: 80, weight: 1 },
])
const results = await ipvs.execute(diff(await ipvs.table(), tableOf([web])))
for (const error of results) if (error !== undefined) console.error(error.message)
ipvs.close()

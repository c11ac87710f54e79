/** Debian's keepalived and we read one file; what its dump says of VRRP is what our effective configuration says. */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkers } from '@ipvs-director/checkers'
import { filesInMemory, loadConfig } from '@ipvs-director/config'
import { seconds } from '@ipvs-director/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until, upLab, type Lab } from '../lab/index.ts'
import { readDump, sayOurs } from './keepalived-dump.ts'
import { startKeepalived } from './vrrp.ts'

const spec = {
  networks: ['lan', 'other'],
  hosts: { theirs: { links: { lan: ['10.77.0.1/24'], other: ['10.78.0.1/24'] } } },
} as const

/** Every inheritance and correction that both programs make and keepalived shows. */
const config = `global_defs {
  script_user root
  enable_script_security
  vrrp_garp_master_delay 3
  vrrp_garp_lower_prio_repeat 2
  vrrp_down_timer_adverts 4
  vrrp_higher_prio_send_advert
  smtp_alert_vrrp
}
vrrp_script up {
  script /bin/true
  interval 2
  rise 2
  fall 3
}
vrrp_script heavy {
  script /bin/true
  weight -20 reverse
}
vrrp_sync_group G {
  group {
    GROUPED_1 GROUPED_2
  }
}
vrrp_instance PLAIN {
  interface eth0
  virtual_router_id 1
  virtual_ipaddress {
    10.77.0.100
    10.77.0.101/24 brd + dev eth1 label eth1:v
    10.77.0.100
  }
  virtual_ipaddress_excluded {
    10.77.0.102/28 scope link
    2001:db8::1/64
  }
  track_script {
    up
    heavy weight 9
  }
  track_interface {
    eth1 weight 5
  }
}
vrrp_instance MASTER_WITHOUT_PRIORITY {
  state MASTER
  interface eth0
  virtual_router_id 2
  virtual_ipaddress {
    10.77.0.110
  }
  track_interface {
    eth1 weight 5
  }
}
vrrp_instance NOPREEMPT {
  state BACKUP
  interface eth0
  virtual_router_id 3
  priority 90
  nopreempt
  preempt_delay 5
  advert_int 2.6
  garp_master_delay 1
  garp_master_repeat 2
  garp_master_refresh 60
  authentication {
    auth_type PASS
    auth_pass longpassword
  }
  virtual_ipaddress {
    10.77.0.120
  }
}
vrrp_instance STRICT {
  strict_mode
  interface eth0
  virtual_router_id 4
  priority 100
  higher_prio_send_advert
  down_timer_adverts 7
  virtual_ipaddress {
    10.77.0.130
  }
}
vrrp_instance HUNDREDTHS {
  version 3
  interface eth0
  virtual_router_id 5
  advert_int 0.034
  no_accept
  lower_prio_no_advert
  virtual_ipaddress {
    10.77.0.140
  }
}
vrrp_instance UNICAST {
  interface eth0
  virtual_router_id 6
  unicast_peer {
    10.77.0.2
    10.77.0.3 min_ttl 10
  }
  smtp_alert off
  virtual_ipaddress {
    10.77.0.150
  }
}
vrrp_instance GROUPED_1 {
  interface eth0
  virtual_router_id 7
  virtual_ipaddress {
    10.77.0.160
  }
  track_interface {
    eth1 weight 5
  }
}
vrrp_instance GROUPED_2 {
  interface eth1
  virtual_router_id 7
  virtual_ipaddress {
    10.78.0.160
  }
}
`

let lab: Lab<'theirs'>

beforeAll(async () => {
  lab = await upLab(spec)
})
afterAll(() => lab.down())

test('the effective values of VRRP are those of keepalived’s dump', async () => {
  // keepalived goes by TMPDIR, as Node does.
  const dump = join(tmpdir(), 'keepalived.data')
  rmSync(dump, { force: true })
  const keepalived = startKeepalived(lab.hosts.theirs, config)
  await keepalived.says(/Startup complete/, seconds(20))
  keepalived.signal('SIGUSR1')
  const whole = (): boolean => existsSync(dump) && readFileSync(dump, 'utf8').includes('< Interfaces >')
  await until('its dump is there', seconds(10), whole, () => keepalived.stdout + keepalived.stderr)
  const theirs = readDump(readFileSync(dump, 'utf8'))
  keepalived.signal('SIGTERM')
  await keepalived.ended

  const read = filesInMemory(new Map([['/test.conf', config]]))
  const loaded = await loadConfig('/test.conf', { checkers, read })
  const vrrp = loaded.config?.vrrp
  if (vrrp === undefined) throw new Error('nothing was loaded')
  expect(loaded.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
  expect(theirs.size).toBeGreaterThan(150)
  // It says that the weight is ignored, and counts it: what it advertises is compared in weights.lab.test.ts.
  const ofMember = 'VRRP Instance GROUPED_1 interface 0'
  expect(theirs.get(ofMember)).toBe('eth1 weight 0')
  expect(Object.fromEntries(sayOurs(vrrp))).toEqual({ ...Object.fromEntries(theirs), [ofMember]: 'eth1 weight 5' })
})

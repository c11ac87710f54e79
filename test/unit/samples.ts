import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lab/root.ts'

/** The configurations that are there to be copied, by their path in the checkout. */
export const samples: readonly string[] = ['configs', 'docker'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.conf'))
    .map((name) => join(folder, name)),
)

interface Remarks {
  /** Our codes, in order. */
  readonly ours: readonly string[]
  /** What keepalived says of it; undefined: nothing. */
  readonly theirs?: RegExp
}

const strict = ['N010', 'N010', 'N013']

/** Those that show what is remarked on, or have keywords of our own. */
export const remarked: Readonly<Record<string, Remarks>> = {
  'configs/single-master/master.conf': { ours: [...strict, 'W081', 'W062', 'W061'], theirs: /Truncating auth_pass/ },
  'configs/single-master/backup.conf': { ours: [...strict, 'W062', 'W061'], theirs: /Truncating auth_pass/ },
  'configs/full/keepalived.conf': { ours: ['W025'], theirs: /nb_get_retry is deprecated/ },
  'configs/mistakes/keepalived.conf': {
    ours: ['E030', 'W004', 'E030', 'E032', 'E030', 'E003', 'E030'],
    theirs: /Unknown keyword 'smpt_server'/,
  },
  'configs/split-brain/avoided-node1.conf': { ours: [], theirs: /Unknown keyword 'vip_lease'/ },
  'configs/split-brain/avoided-node2.conf': { ours: [], theirs: /Unknown keyword 'vip_lease'/ },
  'configs/track-script/node1.conf': { ours: ['W050', 'W050'] },
  'configs/track-script/node2.conf': { ours: ['W050', 'W050'] },
  'configs/routes/node1.conf': { ours: ['W025'], theirs: /lvs_sync_daemon_interface .* deprecated/ },
  'configs/routes/node2.conf': { ours: ['W025'], theirs: /lvs_sync_daemon_interface .* deprecated/ },
}

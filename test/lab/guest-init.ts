/** What the first process of a user-mode Linux guest has to know. */
export interface GuestJob {
  readonly command: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** The folder with the guest kernel's modules by version. */
  readonly modules: string
  /** A file on the host that gets the command's exit status: linux.uml itself always ends with 0. */
  readonly statusFile: string
  /** With a terminal the command gets it; without one its output and its errors go to consoles of their own. */
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined
}

/** Loaded at boot, so that the lab's programs and the tests do not wait for them. */
const modules = ['ip_vs', 'ip_vs_rr', 'ip_vs_wrr', 'ip_vs_wlc', 'veth', 'bridge']

/** Names that a shell can export. */
const exportable = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * What belongs to the process that starts the guest, not to the job inside. Temporary files of the job are on a tmpfs:
 * fast, gone with the guest, and root's own, which on the host's files they are not where an ordinary user booted it.
 */
const notPassedOn = new Set(['_', 'PWD', 'OLDPWD', 'SHLVL', 'TMPDIR', 'TMP', 'TEMP', 'UID', 'EUID', 'PPID'])

/**
 * The script that is process 1 of the guest: it mounts what a Debian program expects, gives the kernel a module loader
 * that finds the modules, runs the command, writes its exit status and powers off.
 */
export function guestInit(job: GuestJob): string {
  return `#!/bin/sh
${environment(job.env)}
${consoles(job.terminal)}
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /dev/pts /dev/shm /run/lib/modules /run/lock /run/netns /run/tmp
chmod 1777 /run/tmp
export TMPDIR=/run/tmp
mount -t tmpfs tmpfs /dev/shm
mount -t devpts devpts /dev/pts
ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin; ln -sf /proc/self/fd/1 /dev/stdout; ln -sf /proc/self/fd/2 /dev/stderr
ln -s ${quote(job.modules)}/"$(uname -r)" /run/lib/modules/
mkdir /run/bin
printf '#!/bin/sh\\nPATH=%s LD_LIBRARY_PATH=%s; export PATH LD_LIBRARY_PATH\\nexec modprobe -d /run "$@"\\n' \
  "$PATH" "$LD_LIBRARY_PATH" > /run/bin/modprobe
chmod 755 /run/bin/modprobe
echo /run/bin/modprobe > /proc/sys/kernel/modprobe
PATH=/run/bin:$PATH
hostname lab
ip link set lo up
modprobe -a ${modules.join(' ')}
cd ${quote(job.cwd)} && ${run(job)}
echo $? > ${quote(job.statusFile)}
poweroff -f 2>/dev/null
`
}

function environment(env: NodeJS.ProcessEnv): string {
  return Object.entries(env)
    .filter(([name]) => exportable.test(name) && !notPassedOn.has(name))
    .map(([name, value]) => `export ${name}=${quote(value ?? '')}`)
    .join('\n')
}

/** Consoles 0 and 1 are the host's standard output and error; raw, so that bytes arrive as they were written. */
function consoles(terminal: GuestJob['terminal']): string {
  return terminal === undefined
    ? 'exec </dev/null >/dev/tty0 2>/dev/tty1\nstty -F /dev/tty0 raw -echo; stty -F /dev/tty1 raw -echo'
    : `exec </dev/tty0 >/dev/tty0 2>&1\nstty sane rows ${terminal.rows} cols ${terminal.columns}`
}

/** Without a terminal the command's output is a pipe, so that it does not draw as if somebody watched a console. */
function run(job: GuestJob): string {
  const command = job.command.map(quote).join(' ')
  if (job.terminal !== undefined) return `setsid -c -w ${command}`
  return `{ { ${command}; echo $? >/run/status; } 2>&3 | cat; } 3>&2 && (exit "$(cat /run/status)")`
}

/** One word for a shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

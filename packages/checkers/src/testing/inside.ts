import { enterNamespace, setns } from '@ipvs-director/linux'
import { closeSync, openSync } from 'node:fs'

/** linux/sched.h */
const CLONE_NEWNET = 0x40000000

/** Runs it to its end with this thread in another network namespace: what is opened meanwhile belongs there. */
export async function inside<T>(path: string, work: () => Promise<T>): Promise<T> {
  const home = openSync('/proc/thread-self/ns/net', 'r')
  try {
    enterNamespace(path)
    return await work()
  } finally {
    setns(home, CLONE_NEWNET)
    closeSync(home)
  }
}

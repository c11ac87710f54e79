const tunables = 'GLIBC_TUNABLES'
/**
 * As much as every glibc takes; 7 by default. At most 4 MiB are kept that way, 1 KiB by 127 in 64 sizes at the worst. And all
 * threads take from one arena: there is one that matters.
 */
const allocator = 'glibc.malloc.tcache_count=127:glibc.malloc.arena_max=1'

/**
 * What a prober process is started with: its allocator keeps more small blocks at hand, of which OpenSSL takes and gives
 * back a thousand for each handshake (5 to 8 % of what one costs). Other C libraries do not look at it. A libuv that is not
 * Node.js's own makes no ring: what that did would be done as root (CVE-2024-22017).
 */
export function proberEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, UV_USE_IO_URING: '0', [tunables]: env[tunables] ?? allocator }
}

/**
 * And Node.js's own arguments: V8 would take up to 48 MiB for what probes leave behind, of which hardly anything lives on; with
 * 2 MiB a half it takes a tenth of that.
 */
export const proberFlags: readonly string[] = ['--max-semi-space-size=2']

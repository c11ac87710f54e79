/** A configuration with something in every keyword that is declared secret. */

/** No secret of ours is without this word. */
export const hush = /hush/i

/** By the keyword: what stands behind it. */
export const secretValues: Readonly<Record<string, string>> = {
  auth_pass: 'hushpass',
  key: `7 ${'hush'.repeat(8)}`,
  password: 'hushhush',
  notify_webhook: 'http://hushuser:hushword@10.1.0.12:9/hushpath?hush=query',
}

/** Each keyword where it belongs. */
export const secretConfig = `global_defs {
    notify_webhook ${secretValues['notify_webhook'] ?? ''}
}
SSL {
    password ${secretValues['password'] ?? ''}
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 71
    version 2
    authentication {
        auth_type PASS
        auth_pass ${secretValues['auth_pass'] ?? ''}
    }
    virtual_ipaddress {
        10.1.0.150/24
    }
}
vrrp_instance VI_2 {
    interface eth0
    virtual_router_id 72
    version 3
    auth_hmac {
        key ${secretValues['key'] ?? ''}
        active_key 7
    }
    virtual_ipaddress {
        10.1.0.151/24
    }
}
virtual_server 10.1.0.100 7 {
    delay_loop 1
    lb_kind DR
    real_server 10.1.0.11 7 { TCP_CHECK { } }
}
`

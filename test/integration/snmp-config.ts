/**
 * A configuration with something in every table of KEEPALIVED-MIB, as far as Debian's keepalived and we know the keyword. One
 * host in two networks, 192.168.10.0/24 (eth0) and 192.168.20.0/24 (eth1), and servers at .31, .32 and .1 there.
 */
export const everything = (folder: string): string => `global_defs {
  router_id LVS_MAIN
  notification_email {
    root@localhost
    second@localhost
  }
  notification_email_from director@localhost
  smtp_server 192.168.10.31 25
  smtp_connect_timeout 7
  script_user root
  enable_snmp_vrrp
  enable_snmp_checker
  enable_snmp_rfc
  enable_traps
  snmp_socket ${folder}/master
  lvs_timeouts tcp 7200 tcpfin 30 udp 60
  lvs_sync_daemon eth1 VI_1 id 11 maxlen 1200 port 8849 ttl 3 group 224.0.0.82
  vrrp_garp_master_refresh 0
}
static_ipaddress {
  192.168.20.200/24 dev eth1 scope global
}
static_routes {
  10.99.0.0/16 via 192.168.20.1 dev eth1 metric 5
}
static_rules {
  from 10.99.0.0/16 table 100 priority 500
}
vrrp_script good {
  script "/usr/bin/true"
  interval 2
  timeout 3
  weight 5
  rise 2
  fall 3
}
vrrp_script reversed {
  script "/usr/bin/false"
  interval 1
  weight 3 reverse
  rise 1
  fall 1
}
track_file file {
  file ${folder}/tracked
  weight 2
}
vrrp_track_process proc {
  process sleepy
  weight 4
  quorum 1
  quorum_max 3
  delay 2
}
bfd_instance bfd1 {
  neighbor_ip 192.168.10.31
  source_ip 192.168.10.11
  weight 6
}
vrrp_sync_group G1 {
  group {
    VI_1
    VI_2
  }
  track_interface {
    eth1
  }
  track_script {
    good weight 1
  }
  notify_master "/usr/bin/true gm"
  notify_backup "/usr/bin/true gb"
  notify_fault "/usr/bin/true gf"
  notify_stop "/usr/bin/true gs"
  notify "/usr/bin/true ga"
  smtp_alert
}
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 51
  priority 150
  advert_int 1
  garp_master_delay 3
  authentication {
    auth_type PASS
    auth_pass secret
  }
  virtual_ipaddress {
    192.168.10.100/24 brd 192.168.10.255 dev eth0 label eth0:one
    192.168.10.101/32
    192.168.10.104/32
  }
  virtual_ipaddress_excluded {
    192.168.20.100/24 dev eth1
    fd00:20::100/64 dev eth1
  }
  virtual_routes {
    src 192.168.10.100 to 10.88.0.0/16 via 192.168.20.1 dev eth1 metric 7 mtu 1400 advmss lock 1300
    10.89.0.0/16 nexthop via 192.168.20.1 dev eth1 weight 2 nexthop via 192.168.10.31 dev eth0 weight 3 onlink
    blackhole 10.90.0.0/16
    10.91.0.0/24 dev eth1 table 77 realms 5/7 rtt 100ms hoplimit 12 window 3000 initcwnd 5 quickack 1
  }
  virtual_rules {
    from 192.168.10.0/24 to 10.88.0.0/16 table 77 priority 1001
    iif eth1 fwmark 6/0xff tos 0x10 blackhole priority 1002
    from 10.1.0.0/16 goto 32766 priority 1003
  }
  track_interface {
    eth0
  }
  notify_master "/usr/bin/true m"
  notify_backup "/usr/bin/true b"
  notify_fault "/usr/bin/true f"
  notify_stop "/usr/bin/true s"
  notify "/usr/bin/true a"
  smtp_alert
}
vrrp_instance VI_2 {
  state BACKUP
  interface eth0
  virtual_router_id 52
  priority 100
  nopreempt
  preempt_delay 12
  advert_int 1
  version 3
  accept
  virtual_ipaddress {
    192.168.10.102/24
  }
}
vrrp_instance VI_3 {
  state BACKUP
  interface eth0
  virtual_router_id 53
  priority 90
  advert_int 1
  version 3
  virtual_ipaddress {
    192.168.10.103/24
  }
  track_script {
    good
    reversed
  }
  track_file {
    file weight 1
  }
  track_process {
    proc
  }
  track_bfd {
    bfd1 weight 6
  }
}
vrrp_instance VI_6 {
  state BACKUP
  interface eth0
  virtual_router_id 54
  priority 80
  advert_int 1
  version 3
  virtual_ipaddress {
    fe80::54/64
    fd00:10::54/64
  }
}
vrrp_instance VI_U {
  state BACKUP
  interface eth1
  virtual_router_id 55
  priority 70
  advert_int 2
  unicast_src_ip 192.168.20.11
  unicast_peer {
    192.168.20.1
  }
  virtual_ipaddress {
    192.168.20.105/24
  }
}
virtual_server_group WEB {
  192.168.10.102 8080
  192.168.10.110-112 8081
  fwmark 9
}
virtual_server group WEB {
  delay_loop 4
  lb_algo rr
  lb_kind NAT
  protocol TCP
  quorum 1
  real_server 192.168.10.31 8080 {
    weight 1
    TCP_CHECK {
      connect_timeout 1
    }
  }
}
virtual_server 192.168.10.100 80 {
  delay_loop 1
  lb_algo wrr
  lb_kind NAT
  protocol TCP
  persistence_timeout 120
  persistence_granularity 255.255.255.0
  virtualhost www.example.com
  quorum 2
  hysteresis 1
  quorum_up "/usr/bin/true up"
  quorum_down "/usr/bin/true down"
  alpha
  omega
  ha_suspend
  snmp_name main-web
  retry 2
  delay_before_retry 3
  warmup 0
  connect_timeout 4
  sorry_server 192.168.10.32 81
  real_server 192.168.10.31 80 {
    weight 3
    uthreshold 100
    lthreshold 10
    inhibit_on_failure
    notify_up "/usr/bin/true rsup"
    notify_down "/usr/bin/true rsdown"
    snmp_name first
    virtualhost rs1.example.com
    retry 4
    delay_before_retry 5
    warmup 0
    delay_loop 2
    TCP_CHECK {
      connect_timeout 1
      retry 0
      delay_loop 1
    }
  }
  real_server 192.168.10.32 80 {
    weight 2
    TCP_CHECK {
      connect_timeout 1
      retry 0
      warmup 0
    }
  }
}
virtual_server fwmark 7 {
  delay_loop 10
  lb_algo sh
  lb_kind TUN
  sh-port
  sh-fallback
  protocol TCP
  real_server 192.168.10.31 0 {
    weight 1
    lvs_method TUN type gue port 5555
  }
}
virtual_server fd00:10::100 80 {
  delay_loop 6
  lb_algo mh
  lb_kind DR
  mh-port
  protocol UDP
  persistence_timeout 60
  persistence_granularity 64
  ops
  real_server fd00:10::31 80 {
    weight 1
  }
}
`

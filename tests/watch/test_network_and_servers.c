#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watch/recognise.h"

/* Which shipped profile takes what switches, routes, guards, computes and stores, by what it says of itself. */

static const struct example switches[] = {
    {ENT "9.1.1208",
     "Cisco IOS Software, C2960S Software (C2960S-UNIVERSALK9-M), Version 15.0(2)SE11, RELEASE SOFTWARE", NULL, NULL,
     "cisco-ios-switch", "switch"},
    {ENT "9.1.2694", NULL, NULL, NULL, "cisco-ios-switch", "switch"},
    {ENT "9.12.3.1.3.1467", "Cisco NX-OS(tm) n6000, Software (n6000-uk9), Version 7.3(8)N1(1)", NULL, NULL,
     "cisco-nxos", "switch"},
    {ENT "9.6.1.1004.10.1", "CBS350-8P-E-2G 8-Port Gigabit PoE Managed Switch", NULL, NULL,
     "cisco-small-business-switch", "switch"},
    {ENT "29671.2.82", "Meraki MS225-24P Cloud Managed Switch", NULL, NULL, "cisco-meraki-switch", "switch"},
    {ENT "11.2.3.7.11.181", "Aruba JL322A 2930M-48G-PoE+ Switch, revision WC.16.10.0012, ROM WC.17.02", NULL, NULL,
     "hp-procurve", "switch"},
    {ENT "11.2.3.7.11.220", "Aruba Instant On 1930 8G 2SFP Switch JL680A, InstantOn_1930_2.6.0.0", NULL, NULL,
     "aruba-instant-on", "switch"},
    {ENT "47196.4.1.1.1.100", "Aruba JL658A  FL.10.08.1010", NULL, NULL, "aruba-cx", "switch"},
    {ENT "25506.1.2010", "H3C Comware Platform Software, Software Version 7.1.070, Release 6318P01 H3C S5560X-30C-EI",
     NULL, NULL, "h3c-switch", "switch"},
    {ENT "25506.11.1.100", "HPE Comware Platform Software, Software Version 7.1.045, Release 3113P05 HPE 5130-24G",
     NULL, NULL, "hpe-comware-switch", "switch"},
    {ENT "2011.2.23.1000",
     "S5735-L24P4S-A1 Huawei Versatile Routing Platform Software VRP (R) software, Version 5.170 (S5735 "
     "V200R021C00SPC100)",
     NULL, NULL, "huawei-switch", "switch"},
    {ENT "2011.2.239.30",
     "Huawei Versatile Routing Platform Software VRP (R) software, Version 8.191 (CE6881 V200R019C10SPC800)", NULL,
     NULL, "huawei-switch", "switch"},
    {ENT "2636.1.1.1.4.131.1", "Juniper Networks, Inc. ex4300-48t Ethernet Switch, kernel JUNOS 18.4R2.7", NULL, NULL,
     "juniper-switch-by-description", "switch"},
    {ENT "674.11000.5000.100.2.1.10",
     "Dell EMC Networking OS10 Enterprise. OS Version: 10.5.2.0. System Type: S5248F-ON", NULL, NULL, "dell-os10",
     "switch"},
    {ENT "674.10895.3065", "Dell EMC Networking N1148T-ON, 6.6.3.14, Linux 4.14.138", NULL, NULL, "dell-powerconnect",
     "switch"},
    {ENT "6027.1.3.26",
     "Dell Networking OS Operating System Version: 2.0 Application Software Version: 9.14 Series: S3048-ON", NULL, NULL,
     "dell-os9", "switch"},
    {ENT "30065.1.3011.7280.2", "Arista Networks EOS version 4.28.3M running on an Arista Networks DCS-7280SR3-48YC8",
     NULL, NULL, "arista", "switch"},
    {ENT "207.1.4.200", "Allied Telesis router/switch, Software (AlliedWare Plus) Version 5.4.9", NULL, NULL,
     "allied-telesis", "switch"},
    {ENT "6486.801.1.1.2.1.12.1.5", "Alcatel-Lucent Enterprise OS6860E-24 8.7.252.R03", NULL, NULL,
     "alcatel-omniswitch", "switch"},
    {ENT "1916.2.282", "ExtremeXOS (X440G2-48p-10G4) version 31.7.1.4", NULL, NULL, "extreme", "switch"},
    {ENT "45.3.80.1", "Ethernet Routing Switch 4826GTS-PWR+  HW:10 FW:5.6.2.1 SW:v5.9.2.030", NULL, NULL, "extreme-ers",
     "switch"},
    {ENT "1991.1.3.59.2.1.1", "Ruckus Wireless, Inc. ICX7450-24P, IronWare Version 08.0.95", NULL, NULL, "foundry",
     "switch"},
    {ENT "1588.2.1.1.1", "Fibre Channel Switch.", NULL, NULL, "brocade-fos", "switch"},
    {ENT "171.10.76.28", "DGS-1210-28 Gigabit Smart Switch", NULL, NULL, "dlink", "switch"},
    {ENT "4526.100.10.20", "M4300-28G ProSAFE 24-port 1G L3, 12.0.15.7", NULL, NULL, "netgear", "switch"},
    {ENT "11863.1.1.10", "JetStream 24-Port Gigabit L2+ Managed Switch", NULL, NULL, "tp-link", "switch"},
    {ENT "890.1.15", "GS2220-28HP", NULL, NULL, "zyxel-switch", "switch"},
    {ENT "259.10.1.24.104", "ECS4510-28T", NULL, NULL, "accton-es", "switch"},
    {ENT "4413", "EdgeSwitch 48-Port Lite, 1.9.3, Linux 3.6.5", NULL, NULL, "ubiquiti-switch", "switch"},
    {LINUX, "USW-Pro-24-PoE, 6.5.59", NULL, NULL, "ubiquiti-unifi-switch", "switch"},
    {LINUX, "SONiC Software Version: SONiC.202205 - HwSku: AS7712 - Distribution: Debian", NULL, NULL, "sonic",
     "switch"},
    {ENT "248.14.10.55", "Hirschmann RSP", NULL, NULL, "hirschmann", "switch"},
    {ENT "8691.7.86", "EDS-G509", NULL, NULL, "moxa", "switch"},
    {ENT "14988.2", "CSS326-24G-2S+ SwOS v2.13", NULL, NULL, "mikrotik-swos", "switch"},
    {ENT "4881.1.1.10.1.200",
     "Ruijie Gigabit Security & Intelligence Access Switch (S2910-24GT4XS-E) By Ruijie Networks", NULL, NULL, "ruijie",
     "switch"},
    {ENT "3902.3.100.500", "ZXR10 5950-36PM-H, ZTE ZXR10 Software Version: 5950-H V3.00.10", NULL, NULL, "zte-switch",
     "switch"},
    {ENT "5651.1.101.1", "MyPower S3330", NULL, NULL, "maipu", "switch"},
    {ENT "6339.1.1.1.500", "S4600-28P-SI", NULL, NULL, "digital-china", "switch"},
    {ENT "26067.1.1", "SICOM3028GPT", NULL, NULL, "kyland", "switch"},
    {ENT "3320.1.300.0", "BDCOM(tm) S2528 Software, Version 2.2.0D Build 10000", NULL, NULL, "bdcom", "switch"},
    {ENT "32473.9", NULL, "dot1qVlanVersionNumber", NULL, "generic-switch", "switch"},
    {ENT "32473.9", NULL, "dot1dBaseNumPorts", NULL, "generic-switch", "switch"},
    {ENT "32473.9", NULL, "dot1dBasePortIfIndex1", NULL, "generic-switch", "switch"},
};

static const struct example routers[] = {
    {ENT "9.1.2068", NULL, NULL, NULL, "cisco-router", "router"},
    {ENT "9.1.1017", "Cisco IOS XR Software (Cisco ASR9K Series),  Version 6.4.2[Default]", NULL, NULL,
     "cisco-router-by-description", "router"},
    {ENT "9.1.99999",
     "Cisco IOS Software [Fuji], ISR Software (X86_64_LINUX_IOSD-UNIVERSALK9-M), Version 16.9.4, RELEASE", NULL, NULL,
     "cisco-router-by-description", "router"},
    {ENT "2636.1.1.1.2.25", "Juniper Networks, Inc. mx480 internet router, kernel JUNOS 20.4R3", NULL, NULL, "juniper",
     "router"},
    {ENT "2011.2.224.280",
     "AR651 Huawei Versatile Routing Platform Software VRP (R) software, Version 5.170 (AR651 V300R019C10)", NULL, NULL,
     "huawei-router-by-description", "router"},
    {ENT "25506.1.1800", "H3C Comware Platform Software, Software Version 7.1.064, Release 0821P13 H3C MSR2600-10-X1",
     NULL, NULL, "h3c-router", "router"},
    {ENT "6527.1.3.4", "TiMOS-C-20.10.R5 cpm/hops64 Nokia 7750 SR Copyright (c) 2000-2021 Nokia.", NULL, NULL,
     "nokia-sros", "router"},
    {ENT "14988.1", "RouterOS CCR2004-1G-12S+2XS", NULL, NULL, "mikrotik", "router"},
    {ENT "7367", "DrayTek Corporation, Router Model: Vigor2927 Series, Version: 4.3.2", NULL, NULL, "draytek",
     "router"},
    {LINUX, "EdgeOS v2.0.9-hotfix.7", NULL, NULL, "ubiquiti-edgerouter", "router"},
    {LINUX, "Linux Teltonika-RUTX11 5.4.229", NULL, NULL, "teltonika-by-description", "router"},
    {LINUX, "Linux OpenWrt 5.15.134 armv7l", NULL, NULL, "openwrt", "router"},
    {LINUX, "Linux gw 5.4.0 armv7l", "distroName", "OpenWrt", "openwrt", "router"},
    {ENT "44641", "VyOS 1.3.3", NULL, NULL, "vyos-by-description", "router"},
    {ENT "4881.1.1.10.1.90", "Ruijie Router (RSR20-X-28) By Ruijie Networks", NULL, NULL, "ruijie-router", "router"},
    {ENT "2356.11.8.1906", "LANCOM 1906VA", NULL, NULL, "lancom", "router"},
    {ENT "1182.1.60", "RTX1300 Rev.23.00.05", NULL, NULL, "yamaha", "router"},
    {ENT "23695.200.1", "Peplink Balance 310", NULL, NULL, "peplink", "router"},
};

static const struct example firewalls[] = {
    {ENT "9.1.2405", "Cisco Firepower Threat Defense, Version 7.0.1", NULL, NULL, "cisco-firewall-by-description",
     "firewall"},
    {ENT "9.1.670", NULL, NULL, NULL, "cisco-firewall", "firewall"},
    {ENT "12356.101.1.2006", NULL, NULL, NULL, "fortinet-fortigate", "firewall"},
    {ENT "25461.2.3.32", "Palo Alto Networks PA-3200 series firewall", NULL, NULL, "palo-alto", "firewall"},
    {ENT "2620.1.6.123.1.60", "Linux cp-gw 3.10.0-957.21.3cpx86_64", NULL, NULL, "check-point", "firewall"},
    {LINUX, "Linux cp-gw 3.10.0-957.21.3cpx86_64", "svnProdName", "SVN Foundation", "check-point-by-probe", "firewall"},
    {ENT "8741.1", "SonicWALL TZ 470 (SonicOS 7.0.1)", NULL, NULL, "sonicwall", "firewall"},
    {ENT "3097.1.5.46", "M470", NULL, NULL, "watchguard", "firewall"},
    {ENT "2604.5", NULL, NULL, NULL, "sophos-firewall", "firewall"},
    {ENT "8072.3.2.8", "NS-BSD SN310 amd64", NULL, NULL, "stormshield-by-description", "firewall"},
    {ENT "8072.3.2.8", "pfSense gw.example.com 2.7.2-RELEASE FreeBSD 14.0", NULL, NULL, "pfsense", "firewall"},
    {ENT "8072.3.2.8", "FreeBSD gw 13.2-RELEASE", "pfStatusRunning", NULL, "packet-filter-bsd", "firewall"},
    {ENT "2636.1.1.1.2.134", "Juniper Networks, Inc. srx345 internet router, kernel JUNOS 20.2R3", NULL, NULL,
     "juniper-srx-by-description", "firewall"},
    {ENT "2011.2.321.50", "Huawei USG6525E V600R007C20", NULL, NULL, "huawei-firewall-by-description", "firewall"},
    {ENT "25506.1.1900",
     "H3C Comware Platform Software, Software Version 7.1.064, Release 9333 H3C SecPath F1000-AI-25", NULL, NULL,
     "h3c-firewall", "firewall"},
    {ENT "28557.1.100", "Hillstone Networks StoneOS software, Version 5.5R8", NULL, NULL, "hillstone", "firewall"},
    {ENT "35047.1", "Sangfor AF", NULL, NULL, "sangfor", "firewall"},
    {ENT "14331.1", "Topsec NGFW4000", NULL, NULL, "topsec", "firewall"},
    {ENT "31648.3.100", "DPtech FW1000", NULL, NULL, "dptech", "firewall"},
    {ENT "890.1.15", "USG FLEX 100", NULL, NULL, "zyxel-firewall-by-description", "firewall"},
    {ENT "29671.2.105", "Meraki MX68 Cloud Managed Security Appliance", NULL, NULL, "cisco-meraki-firewall",
     "firewall"},
};

static const struct example wireless[] = {
    {ENT "14823.1.1.32", "ArubaOS (MODEL: Aruba7005), Version 8.6.0.9", NULL, NULL, "aruba-controller", "access-point"},
    {ENT "9.1.2391", NULL, NULL, NULL, "cisco-wlc", "access-point"},
    {ENT "9.1.1875", "Cisco IOS Software, C1600 Software (AP1G2-K9W7-M), Version 15.3", NULL, NULL,
     "cisco-aironet-by-description", "access-point"},
    {ENT "25053.3.1.5.15", "Ruckus Wireless ZD1200", NULL, NULL, "ruckus-controller", "access-point"},
    {LINUX, "UAP-AC-Lite 6.5.62", NULL, NULL, "ubiquiti-unifi-ap", "access-point"},
    {LINUX, "Linux ap 3.3.8", "unifiApSystemModel", "UAP-LR", "ubiquiti-unifi-ap", "access-point"},
    {ENT "2011.2.240.17", "Huawei AirEngine", NULL, NULL, "huawei-wireless-by-description", "access-point"},
    {ENT "4881.1.1.10.1.600", "Ruijie Indoor AP (AP820-L) By Ruijie Networks", NULL, NULL, "ruijie-ap", "access-point"},
};

static const struct example servers[] = {
    {NULL, "Linux db02 5.10.0-26-amd64", NULL, NULL, "linux-by-description", "server"},
    {LINUX, "Linux web01 5.15.0-91-generic #101-Ubuntu SMP x86_64", NULL, NULL, "net-snmp-linux", "server"},
    {LINUX, NULL, NULL, NULL, "net-snmp-linux", "server"},
    {ENT "8072.3.2.8", "FreeBSD db01 13.2-RELEASE", NULL, NULL, "net-snmp-bsd", "server"},
    {LINUX, "Linux pve1 6.5.11-7-pve #1 SMP PREEMPT_DYNAMIC PMX x86_64", NULL, NULL, "proxmox", "server"},
    {ENT "311.1.1.3.1.2",
     "Hardware: Intel64 Family 6 Model 85 - Software: Windows Version 10.0 (Build 20348 Multiprocessor Free)", NULL,
     NULL, "windows", "server"},
    {ENT "6876.4.1", "VMware ESXi 7.0.3 build-20328353 VMware, Inc. x86_64", NULL, NULL, "vmware-esxi", "server"},
    {ENT "2.6.11", "IBM OS/400 V7R4M0", NULL, NULL, "ibm-i", "server"},
    {ENT "7779.1.1402", "Infoblox TE-1415", NULL, NULL, "infoblox", "server"},
    {ENT "32473.9", NULL, "hrSystemUptime", NULL, "generic-server", "server"},
};

static const struct example controllers[] = {
    {ENT "674.10892.5", NULL, NULL, NULL, "dell-idrac", "bmc"},
    {ENT "232.9.4.11", "Integrated Lights-Out 5 3.01 Feb 2 2024", NULL, NULL, "hpe-ilo", "bmc"},
    {ENT "19046.11.1", "Linux XCC-7X06-J300 4.9", NULL, NULL, "lenovo-xcc", "bmc"},
    {ENT "2.3.51.3", "Linux IMM2 3.14", NULL, NULL, "ibm-imm", "bmc"},
    {ENT "2011.2.235.1.1", NULL, NULL, NULL, "huawei-ibmc", "bmc"},
    {ENT "58132.2.235", "Hardware management system", NULL, NULL, "xfusion-ibmc", "bmc"},
    {ENT "42.2.200.2.1.1", "ORACLE SERVER X7-2, ILOM v5.0", NULL, NULL, "oracle-ilom", "bmc"},
    {ENT "9.1.1864", "Cisco Integrated Management Controller(CIMC), Firmware Version 4.1", NULL, NULL,
     "cisco-cimc-by-description", "bmc"},
    {LINUX, "Linux (none) 3.14.17-ami armv6l", "asrockBmc", "x", "asrock-rack-bmc", "bmc"},
    {LINUX, "Linux (none) 2.6.28.9 armv5tejl", "bmcMajorVersion", NULL, "supermicro-bmc-by-probe", "bmc"},
    {ENT "11.5.7.1.2", "HP Onboard Administrator", NULL, NULL, "hpe-onboard-administrator", "bmc"},
};

static const struct example storage[] = {
    {NULL, "node-1 1234 Isilon OneFS v9.4.0.12", NULL, NULL, "isilon-by-description", "nas"},
    {ENT "789.2.5", "NetApp Release 9.13.1P6: Thu Nov 16 21:11:36 UTC 2023", NULL, NULL, "netapp-by-description",
     "nas"},
    {LINUX, "Linux nas 4.4.302+ #64570 SMP x86_64", "synoSystemStatus", NULL, "synology-by-probe", "nas"},
    {ENT "24681", "Linux TS-464 5.1.4", NULL, NULL, "qnap", "nas"},
    {LINUX, "Linux TS-453 5.1", "qnapModel", "TS-453D", "qnap-by-probe", "nas"},
    {ENT "8072.3.2.8", "TrueNAS-13.0-U6.1. Hardware: amd64. Software: FreeBSD 13.1", NULL, NULL,
     "truenas-by-description", "nas"},
    {LINUX, "Linux Tower 6.1.74-Unraid #1 SMP", NULL, NULL, "unraid", "nas"},
    {ENT "2011.2.91", "Huawei OceanStor", NULL, NULL, "huawei-oceanstor", "nas"},
    {ENT "11.2.51", "HPE MSA 2060", NULL, NULL, "hpe-msa", "nas"},
    {ENT "12740.17.1", "PS6210", NULL, NULL, "dell-equallogic", "nas"},
    {ENT "5227.28", "BUFFALO TeraStation TS5420DN Ver.5.50", NULL, NULL, "buffalo-nas", "nas"},
    {ENT "44738", "Linux AS6404T", NULL, NULL, "asustor", "nas"},
    {ENT "2.6.190", "IBM FlashSystem", NULL, NULL, "ibm-storage", "nas"},
    {ENT "11.10.2.1.3.20", "HPE StoreEver MSL2024", NULL, NULL, "hpe-msl", "nas"},
    {LINUX, "Linux tl 4.9", "smlDescription", "TS4300", "sml-tape", "nas"},
};

/* What is none of them, or only sounds like it. */
static const struct example others[] = {
    {NULL, NULL, NULL, NULL, "generic-snmp", "other"},
    {ENT "25049.1.85", "Opengear OM2216", NULL, NULL, "opengear", "other"},
    {ENT "39165.1.1", "DS-2CD2143G2", NULL, NULL, "hikvision", "camera"},
    {ENT "368.4.6", "AXIS P3245-V Network Camera", NULL, NULL, "axis", "camera"},
    {ENT "37459.1", "SIP-T46U", NULL, NULL, "yealink", "phone"},
    {ENT "97.1", "no number of Cisco's", NULL, NULL, "generic-snmp", "other"},
};

static void switches_are_recognised(void **state)
{
    (void)state;
    recognise(switches, sizeof switches / sizeof *switches);
}

static void routers_are_recognised(void **state)
{
    (void)state;
    recognise(routers, sizeof routers / sizeof *routers);
}

static void firewalls_are_recognised(void **state)
{
    (void)state;
    recognise(firewalls, sizeof firewalls / sizeof *firewalls);
}

static void access_points_and_their_controllers_are_recognised(void **state)
{
    (void)state;
    recognise(wireless, sizeof wireless / sizeof *wireless);
}

static void servers_and_hypervisors_are_recognised(void **state)
{
    (void)state;
    recognise(servers, sizeof servers / sizeof *servers);
}

static void management_controllers_are_recognised_beside_their_hosts(void **state)
{
    (void)state;
    recognise(controllers, sizeof controllers / sizeof *controllers);
}

static void storage_is_recognised_even_on_the_agent_of_its_system(void **state)
{
    (void)state;
    recognise(storage, sizeof storage / sizeof *storage);
}

static void what_is_none_of_them_is_not_taken_for_one(void **state)
{
    (void)state;
    recognise(others, sizeof others / sizeof *others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(switches_are_recognised),
        cmocka_unit_test(routers_are_recognised),
        cmocka_unit_test(firewalls_are_recognised),
        cmocka_unit_test(access_points_and_their_controllers_are_recognised),
        cmocka_unit_test(servers_and_hypervisors_are_recognised),
        cmocka_unit_test(management_controllers_are_recognised_beside_their_hosts),
        cmocka_unit_test(storage_is_recognised_even_on_the_agent_of_its_system),
        cmocka_unit_test(what_is_none_of_them_is_not_taken_for_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

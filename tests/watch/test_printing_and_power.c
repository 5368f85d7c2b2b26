#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/watch/recognise.h"

/* Which shipped profile takes what prints, feeds, cools and measures, by what it says of itself. */

static const struct example printers[] = {
    {ENT "11.2.3.9.1", "HP ETHERNET MULTI-ENVIRONMENT,ROM none,JETDIRECT,JD153", NULL, NULL, "hp-printer", "printer"},
    {ENT "11.2.3.9.1", "HP ETHERNET", "hrDeviceDescr", "HP LaserJet MFP E60000", "hp-mfp", "copier"},
    {ENT "1347.41", "HP ETHERNET MULTI-ENVIRONMENT", NULL, NULL, "kyocera-printer", "printer"},
    {NULL, "HP ETHERNET MULTI-ENVIRONMENT,ROM A.05.03", NULL, NULL, "hp-print-server", "printer"},
    {ENT "2435.2.3.9.1", "Brother NC-8300h, Firmware Ver.1.10", NULL, NULL, "brother-printer", "printer"},
    {ENT "2435.2.3.9.1", "Brother", "hrDeviceDescr", "Brother MFC-L2700DW series", "brother-mfp", "copier"},
    {ENT "1602.4.2", "Canon LBP250 /P", NULL, NULL, "canon-printer", "printer"},
    {ENT "1602.4.7", "Canon iR-ADV C3500 /P", NULL, NULL, "canon-copier", "copier"},
    {NULL, "Canon MF520 Series /P", NULL, NULL, "canon-by-name", "printer"},
    {ENT "674.10898.2.100.19", "Dell 3130cn Color Laser", NULL, NULL, "dell-printer-by-name", "printer"},
    {ENT "641.2.71106560", "Dell S5830dn Laser Printer version NH61.CY", NULL, NULL, "dell-printer-by-name", "printer"},
    {NULL, "Dell Color MFP S3840cdn", NULL, NULL, "dell-printer-by-name", "printer"},
    {ENT "1248.1.1.2.1.3.5.78", "EPSON Built-in 11b/g/n Print Server", NULL, NULL, "epson-printer", "printer"},
    {ENT "1248.1.1.2.1.3.22", "EPSON Scan Server", NULL, NULL, "epson-scanner", "printer"},
    {ENT "1248.4.1", "EPSON Projector", NULL, NULL, "epson-projector", "other"},
    {ENT "253.8.62.1.10.2.1.1.2", "Xerox Phaser 6500DN; Net 1.0", NULL, NULL, "xerox-printer", "printer"},
    {ENT "253.8.62.1.32.4.2.1.2", "Xerox WorkCentre 7800; System 1", NULL, NULL, "xerox-copier", "copier"},
    {ENT "297.1.11.93.1.3.1.1.1", "FUJI XEROX ApeosPort-V C3300; ESS 1", NULL, NULL, "fujifilm-copier", "copier"},
    {ENT "297.1.11.93.1.3.1.1.1", "FUJI XEROX DocuPrint P300 d", NULL, NULL, "fujifilm-printer", "printer"},
    {NULL, "FUJIFILM Apeos C2000", NULL, NULL, "fujifilm-by-name", "printer"},
    {ENT "367.1.1", "RICOH SP 3600DN 1.01 / RICOH Network Printer C model", NULL, NULL, "ricoh-printer", "printer"},
    {ENT "367.1.1", "SAVIN C3500 1.0 / SAVIN Network Printer C model / SAVIN Network Scanner C model", NULL, NULL,
     "ricoh-copier", "copier"},
    {NULL, "NRG Network Printer C model", NULL, NULL, "ricoh-by-name", "printer"},
    {ENT "1347.41", "KYOCERA MITA Printing System", "hrDeviceDescr", "TASKalfa 3000ci", "kyocera-copier", "copier"},
    {NULL, "UTAX Printing System", NULL, NULL, "kyocera-by-name", "printer"},
    {ENT "18334.1.1.1.2.1.90.4.1", "KONICA MINOLTA bizhub C300i", NULL, NULL, "konica-minolta-copier", "copier"},
    {NULL, "Develop ineo+ 258", NULL, NULL, "konica-minolta-by-name", "copier"},
    {ENT "641.2.71106640", "Lexmark MS800 version NH.1 kernel 3", NULL, NULL, "lexmark-printer", "printer"},
    {ENT "641.2.71107160", "TOSHIBA e-STUDIO400P version NH.2", NULL, NULL, "toshiba-copier", "copier"},
    {ENT "1129.2.3.50.1", "TOSHIBA e-STUDIO4500AC", NULL, NULL, "toshiba-copier", "copier"},
    {ENT "1129.1.2.1", "TOSHIBA TEC B-EX4", NULL, NULL, "toshiba-printer", "printer"},
    {ENT "2001.1.1.1.1", "OKI OkiLAN 8450e Rev.1 PrintServer: Attached to B431 Rev.02.00", NULL, NULL, "oki-printer",
     "printer"},
    {ENT "236.11.5.1", "Samsung SL-M4000 Series; V1.00", NULL, NULL, "samsung-printer", "printer"},
    {NULL, "Samsung CLP-600 Series OS 1.0", NULL, NULL, "samsung-by-name", "printer"},
    {ENT "2385.3.1.50.1.1", "SHARP BP-50C00", NULL, NULL, "sharp-copier", "copier"},
    {NULL, "SHARP AR-M400N", NULL, NULL, "sharp-by-name", "copier"},
    {ENT "10642.1.1", "Zebra ZT200", NULL, NULL, "zebra-printer", "printer"},
    {ENT "683.6.0", "ZebraNet PrintServer II", NULL, NULL, "zebra-printer", "printer"},
    {NULL, "SATO CL4NX", NULL, NULL, "label-printer-by-name", "printer"},
    {ENT "40093.10.1.1", "Pantum P3300DN Series", NULL, NULL, "pantum-printer", "printer"},
    {NULL, "Pantum M7100DW", NULL, NULL, "pantum-by-name", "printer"},
    {NULL, "Lenovo LJ2655DN", NULL, NULL, "lenovo-printer", "printer"},
    {NULL, "Deli P2500DN", NULL, NULL, "china-printer", "printer"},
    {ENT "50477.1", NULL, NULL, NULL, "deli-printer", "printer"},
    {ENT "13097.1", NULL, NULL, NULL, "dascom-printer", "printer"},
    {ENT "43564.1", "TSC TTP-244", NULL, NULL, "tsc-printer", "printer"},
    {ENT "24807.1", "RISO ComColor GD", NULL, NULL, "riso-printer", "printer"},
    {ENT "32473.1", "Acme Laser Printer 9", NULL, NULL, "printer-by-word", "printer"},
    {ENT "32473.1", NULL, "prtMarkerLifeCount", NULL, "generic-printer", "printer"},
};

static const struct example upses[] = {
    {ENT "318.1.3.2.12", "APC Web/SNMP Management Card", NULL, NULL, "apc-ups", "ups"},
    {ENT "318.1.3.27", "APC Web/SNMP Management Card", NULL, NULL, "apc-ups", "ups"},
    {ENT "318.1.3.28.40", "APC Web/SNMP Management Card", NULL, NULL, "apc-ups", "ups"},
    {ENT "318.1.3.99", NULL, NULL, NULL, "apc-any", "ups"},
    {ENT "705.1.2", "Galaxy 5500 60 kVA", NULL, NULL, "schneider-galaxy", "ups"},
    {ENT "705.1", "Eaton 9PX 3000i", NULL, NULL, "eaton-ups-named", "ups"},
    {ENT "705.1", "Evolution 1150", NULL, NULL, "eaton-ups", "ups"},
    {ENT "534.1", "ConnectUPS Web/SNMP Card V4.20", NULL, NULL, "eaton-ups", "ups"},
    {ENT "476.1.42", "GXT4", NULL, NULL, "liebert-ups", "ups"},
    {ENT "476.1.42", "IS-UNITY-DP", "lgpAgentDeviceId", ENT "476.1.42.4.2.10", "liebert-ups", "ups"},
    {ENT "3808.1.1.1", "UPS SNMP Card", NULL, NULL, "cyberpower-ups", "ups"},
    {ENT "3808.1.1.3", "Power Manager", "upsIdentModel", "OR1000", "cyberpower-ups", "ups"},
    {ENT "3808.1.1.1", "Power Management Card", NULL, NULL, "powerwalker-ups", "ups"},
    {ENT "850.1.1.1", "PowerAlert 20.0", "upsOutputSource", NULL, "tripp-lite-ups", "ups"},
    {ENT "850.1", "POWERALERT 15", NULL, NULL, "tripp-lite-ups", "ups"},
    {ENT "2254.2.4", "Delta UPS", NULL, NULL, "delta-ups", "ups"},
    {ENT "5491.6", "NetMan 102 plus", NULL, NULL, "riello-ups", "ups"},
    {ENT "4555.1.1.1", "Net Vision v6.00", NULL, NULL, "socomec-ups", "ups"},
    {ENT "935", "NET Agent 9", NULL, NULL, "megatec-ups", "ups"},
    {ENT "935.10.1", "Network Management Card for UPS", NULL, NULL, "voltronic-ups", "ups"},
    {"1.3.6.1.2.1.33", "CS141 SNMP Agent", NULL, NULL, "generex-ups", "ups"},
    {ENT "6050.5.1", NULL, NULL, NULL, "gamatronic-ups", "ups"},
    {ENT "674.10902.2", "Dell UPS Rack 3750W", NULL, NULL, "dell-ups", "ups"},
    {ENT "232.165.3", "HPE UPS R/T3000 G5", NULL, NULL, "hp-ups", "ups"},
    {ENT "2011.6.174.4.1.2.5", "SNMP Card for HUAWEI UPS5000", NULL, NULL, "huawei-ups", "ups"},
    {LINUX, "Linux upscard 3.2", "upsBatteryStatus", NULL, "generic-ups", "ups"},
    {LINUX, "Linux card 2.6", "upsIdentAgent", "Net Vision 7 v7.10", "socomec-by-name", "ups"},
    {ENT "32473.7", "KSTAR YDC9300", NULL, NULL, "ups-by-name", "ups"},
    {ENT "32473.7", "Makelsan Boxer UPS", NULL, NULL, "ups-by-name", "ups"},
    {ENT "13400.2.1", "ITA2", NULL, NULL, "vertiv-ups", "ups"},
    {ENT "2021.250.10", "Linux nform 2.6", "vertivUps", "UPS", "vertiv-ups-probed", "ups"},
    {ENT "7309.6.1", "FXM HP", NULL, NULL, "alpha-ups", "ups"},
    {ENT "3941.1", NULL, NULL, NULL, "santak-ups", "ups"},
    {ENT "44782.1", NULL, NULL, NULL, "kehua-ups", "ups"},
    {ENT "40614.1", NULL, NULL, NULL, "east-ups", "ups"},
    {ENT "49136.1", "DC UPS 48V", NULL, NULL, "algcom-ups", "ups"},
};

static const struct example power[] = {
    {ENT "318.1.3.4.5", "APC Metered Rack PDU", NULL, NULL, "apc-pdu", "pdu"},
    {ENT "318.1.3.4.9", "EPDU1000X", NULL, NULL, "apc-easy-pdu", "pdu"},
    {ENT "318.1.3.11", "APC Rack ATS", NULL, NULL, "apc-transfer-switch", "power"},
    {ENT "318.1.3.10.1", NULL, NULL, NULL, "apc-dc-power", "power"},
    {ENT "534.6.6.7", "Eaton ePDU MA 1P", NULL, NULL, "eaton-pdu", "pdu"},
    {ENT "705.2", "Pulsar ePDU", NULL, NULL, "eaton-pdu", "pdu"},
    {ENT "705.1", "Eaton ATS 16 N", NULL, NULL, "eaton-transfer-switch-named", "power"},
    {ENT "1918.2.13.10", "SC300", NULL, NULL, "eaton-dc-power", "power"},
    {ENT "935.10.2", "NMC for Matrix Inverter", NULL, NULL, "eaton-inverter-named", "power"},
    {ENT "476.1.42", NULL, "lgpAgentDeviceId", ENT "476.1.42.4.8.4", "liebert-pdu", "pdu"},
    {ENT "476.1.42", NULL, "lgpAgentDeviceId", ENT "476.1.42.4.5.2", "liebert-power", "power"},
    {LINUX, "Linux ES_Controller 2.6.30", NULL, NULL, "vertiv-dc-power-named", "power"},
    {ENT "6302.2.1", "ACU+", NULL, NULL, "vertiv-dc-power-named", "power"},
    {ENT "21239.42.1.55", "Vertiv rPDU", NULL, NULL, "geist-pdu", "pdu"},
    {ENT "21239.2", "RCM-O", NULL, NULL, "geist-pdu-named", "pdu"},
    {ENT "3808.1.1.3", "PDU15SWV8FNET", NULL, NULL, "cyberpower-pdu", "pdu"},
    {ENT "3808.1.1.5", "ATS", NULL, NULL, "cyberpower-transfer-switch", "power"},
    {ENT "850.1.1.1", "PowerAlert 20.0", NULL, NULL, "tripp-lite-pdu", "pdu"},
    {ENT "13742.4", "Raritan Dominion PX", NULL, NULL, "raritan-pdu", "pdu"},
    {ENT "1718.3", "Sentry Switched CDU", NULL, NULL, "servertech-pdu", "pdu"},
    {ENT "28507.62", "Expert PDU Energy 8340", NULL, NULL, "gude-pdu", "pdu"},
    {"0.10.43.6.1.4.1", NULL, NULL, NULL, "chatsworth-pdu-mangled", "pdu"},
    {ENT "10456", "IPM-4120 1.0", NULL, NULL, "planet-pdu", "pdu"},
    {LINUX, "USP-PDU-Pro 5.76.7", NULL, NULL, "unifi-power", "pdu"},
    {NULL, "HP PDU Management Module, firmware version 2.00.00", NULL, NULL, "hp-pdu-named", "pdu"},
    {NULL, NULL, "dliOutlets", NULL, "digital-loggers-probed", "pdu"},
    {LINUX, "Linux MPC 2.6", "wtiUnitName", "LOCAL", "wti-probed", "pdu"},
    {ENT "2606.7", "Rittal PDU metered SN 1", NULL, NULL, "rittal-pdu", "pdu"},
    {ENT "32473.8", "Managed PDU", NULL, NULL, "pdu-by-name", "pdu"},
    {ENT "12148.9", "Eltek WebPower", NULL, NULL, "eltek-power", "power"},
    {NULL, "x", "eltekSite", "site", "eltek-probed", "power"},
    {LINUX, "Linux SMU02B 3.4", "huaweiSite", "HUAWEI SMU", "huawei-power-probed", "power"},
    {ENT "926.1.99.1.4.2", "MODEL: DSM33X", NULL, NULL, "alpha-power", "power"},
    {ENT "7309.5.1", "CXC HP", NULL, NULL, "alpha-power", "power"},
    {ENT "818.32.4", NULL, NULL, NULL, "imco-power", "power"},
    {ENT "935", "LogWeb 2", NULL, NULL, "logmaster-power", "power"},
    {ENT "37662.1.2.2.1", "ATS v1.0 (SN 1)", NULL, NULL, "transfer-switch", "power"},
    {ENT "40211.1", NULL, NULL, NULL, "megmeet-power", "power"},
    {ENT "34278.10.1", "UMG 604", NULL, NULL, "janitza-meter", "power"},
    {ENT "28634.29", "InteliLite", NULL, NULL, "comap-generator", "power"},
    {ENT "39145.11", "ICT Power Supply", NULL, NULL, "ict-power", "power"},
    {ENT "39145.10", "ICT Distribution Panel", NULL, NULL, "ict-pdu", "pdu"},
    {ENT "32473.9", "48V Rectifier", NULL, NULL, "power-by-name", "power"},
    {ENT "3902.3", "ZXDU68 G020", NULL, NULL, "zte-power", "power"},
    {ENT "3833.1.7.255.15", "PM8000", NULL, NULL, "schneider-power", "power"},
};

static const struct example rooms[] = {
    {ENT "318.1.3.14.5", "APC InRow RC", NULL, NULL, "apc-air-conditioner", "air-conditioner"},
    {ENT "318.1.3.8.3", "APC Environmental Manager", NULL, NULL, "apc-environment", "environment"},
    {ENT "5528.100.20.10.2016", "NetBotz", NULL, NULL, "apc-netbotz", "environment"},
    {ENT "52674.500", "NetBotz Rack Monitor 750", NULL, NULL, "apc-netbotz", "environment"},
    {ENT "476.1.42", NULL, "lgpAgentDeviceId", ENT "476.1.42.4.3.23", "liebert-air-conditioner", "air-conditioner"},
    {ENT "476.1.42", "Uninitialized", "lgpEnvStateSystem", NULL, "liebert-air-conditioner", "air-conditioner"},
    {ENT "476.1.42", "Uninitialized", "lgpPduEntrySysStatus", NULL, "liebert-pdu", "pdu"},
    {ENT "476.1.42.4.3.4", NULL, NULL, NULL, "liebert-air-conditioner", "air-conditioner"},
    {ENT "534.6.8.1", NULL, NULL, NULL, "eaton-sensor", "environment"},
    {ENT "13742.8", "EMX2-111", NULL, NULL, "raritan-environment", "environment"},
    {ENT "28507.67", "Expert Sensor Box 7214", NULL, NULL, "gude-sensor", "environment"},
    {ENT "21239.5.1", "WatchDog 100", NULL, NULL, "geist-environment", "environment"},
    {ENT "29462.10", "Stulz WIB", NULL, NULL, "stulz-air-conditioner", "air-conditioner"},
    {ENT "9839.2606.1", "Rittal Chiller", NULL, NULL, "rittal-chiller", "air-conditioner"},
    {LINUX, "pCO Gateway", NULL, NULL, "air-conditioner-by-name", "air-conditioner"},
    {LINUX, "Linux pCOWeb 2.4", "carelRoomTemp", NULL, "carel-probed", "air-conditioner"},
    {ENT "32473.3", "Envicool XF", NULL, NULL, "air-conditioner-by-name", "air-conditioner"},
    {ENT "2606.7", "Rittal LCP DX SN 2", NULL, NULL, "rittal-cooling", "air-conditioner"},
    {ENT "2606.4", "Rittal CMC-TC", NULL, NULL, "rittal-monitor", "environment"},
    {ENT "3854.1.2.2", "sensorProbe2", NULL, NULL, "akcp-monitor", "environment"},
    {ENT "20916.1.9", "AVTECH Room Alert 3E", NULL, NULL, "avtech-monitor", "environment"},
    {ENT "17095.3", "Sensor Gateway", NULL, NULL, "serverscheck-monitor", "environment"},
    {ENT "21796.4.9", "STE2", NULL, NULL, "hwg-monitor", "environment"},
    {ENT "22626.1.5", "P8511", NULL, NULL, "comet-monitor", "environment"},
    {ENT "3699.1.1.2", "ENVIROMUX-16D", NULL, NULL, "nti-monitor", "environment"},
    {ENT "38783.1", "TCW220", NULL, NULL, "teracom-monitor", "environment"},
    {ENT "5040.1.2.16", NULL, NULL, NULL, "wut-monitor", "environment"},
    {ENT "49136.100", NULL, NULL, NULL, "algcom-monitor", "environment"},
    {ENT "25728.50", "UniPing v3", NULL, NULL, "netping-monitor", "environment"},
    {ENT "25728.50", "NetPing 2/PWR-220", NULL, NULL, "netping-pdu", "pdu"},
    {ENT "32473.4", "8VD-X20", NULL, NULL, "environment-by-name", "environment"},
    {ENT "32473.4", "Temperature and Humidity Monitor", NULL, NULL, "environment-by-name", "environment"},
};

/* What sounds like one of them and is none. */
static const struct example others[] = {
    {LINUX, "Linux ups-monitor 5.10 x86_64", NULL, NULL, "net-snmp-linux", "server"},
    {LINUX, "Linux Printer-Server 5.10", NULL, NULL, "net-snmp-linux", "server"},
    {ENT "8072.3.2.8", "FreeBSD CUPS 13", NULL, NULL, "net-snmp-bsd", "server"},
    {ENT "32473.6", "8 Port Switch, DC Power Supply", "dot1dBaseNumPorts", NULL, "generic-switch", "switch"},
    {ENT "32473.6", "Temperature hardened Switch", "dot1dBaseNumPorts", NULL, "generic-switch", "switch"},
    {ENT "32473.6", "Acme SNMP Agent", NULL, NULL, "generic-snmp", "other"},
    {ENT "32473.5", "Box", NULL, NULL, "generic-snmp", "other"},
    {ENT "3180.1", "Box", NULL, NULL, "generic-snmp", "other"}, /* 318 is no beginning of it */
};

static void printers_and_copiers_are_recognised(void **state)
{
    (void)state;
    recognise(printers, sizeof printers / sizeof *printers);
}

static void upses_are_recognised(void **state)
{
    (void)state;
    recognise(upses, sizeof upses / sizeof *upses);
}

static void distribution_and_power_systems_are_recognised(void **state)
{
    (void)state;
    recognise(power, sizeof power / sizeof *power);
}

static void cooling_and_monitors_are_recognised(void **state)
{
    (void)state;
    recognise(rooms, sizeof rooms / sizeof *rooms);
}

static void names_that_only_sound_like_it_deceive_nobody(void **state)
{
    (void)state;
    recognise(others, sizeof others / sizeof *others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printers_and_copiers_are_recognised),
        cmocka_unit_test(upses_are_recognised),
        cmocka_unit_test(distribution_and_power_systems_are_recognised),
        cmocka_unit_test(cooling_and_monitors_are_recognised),
        cmocka_unit_test(names_that_only_sound_like_it_deceive_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#ifndef PD_SIM_SETTINGS_H
#define PD_SIM_SETTINGS_H

#include "base/str.h"
#include "story.h"

/* Where a story's patrold finds things. */
struct site_paths {
    const char *database, *socket; /* NULL: not said */
    const char *knowledge;         /* folder */
    const char *mail_url;
    bool no_ping; /* silent devices are not pinged */
};

/* Who is mailed in a story. */
#define STORY_RECIPIENT "duty@example.com"

/* Appends the story's configuration as patrold.yaml. */
void story_settings(struct sbuf *out, const struct story *story, const struct site_paths *paths);
/* Where devices answer; 0: the protocol's own port. */
struct site_ports {
    unsigned snmp, modbus;
};

/* The arguments of device.add for a device, as JSON. */
void story_device_args(struct sbuf *out, const struct story *story, size_t device, const struct site_ports *ports);

#endif

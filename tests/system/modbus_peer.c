/*
 * Devices that speak Modbus, made of libmodbus, for a system test:
 *
 *     modbus_peer PATH
 *
 * twenty servers on ports of their own, two of them dead, one slow, one that lies; a serial bus at PATH
 * with five slaves; and a gateway whose units hold what its input says, line by line: UNIT SPACE FIRST VALUE...
 * with the spaces of modbus.h. It says its ports, and ends when its input does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <modbus/modbus.h>

#include "tests/plugins/modbus/live.h"

enum { UNITS = 8, REGISTERS = 2000, FARM = 20, SLAVES = 5 };

struct gateway {
    modbus_t *ctx;
    int listener;
    modbus_mapping_t *units[UNITS + 1];
};

static void must(int ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(2);
}

/* One connection after the other; a unit that nobody filled is silent. */
static void *serve(void *arg)
{
    struct gateway *g = arg;

    for (;;) {
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        int fd = modbus_tcp_accept(g->ctx, &g->listener), n;

        must(fd >= 0, "accept");
        while ((n = modbus_receive(g->ctx, query)) >= 0)
            if (query[6] <= UNITS && g->units[query[6]])
                (void)modbus_reply(g->ctx, query, n, g->units[query[6]]);
        close(fd);
    }
    return NULL;
}

/* "1 holding 130 51200 7": false if the line makes no sense. */
static int fill(struct gateway *g, char *line)
{
    char *rest = line, *word = strsep(&rest, " "), *space = strsep(&rest, " "), *at = strsep(&rest, " ");
    int unit = atoi(word), first = at ? atoi(at) : -1;
    uint16_t *to;

    if (unit < 1 || unit > UNITS || !space || first < 0)
        return 0;
    if (!g->units[unit])
        g->units[unit] = modbus_mapping_new(0, 0, REGISTERS, REGISTERS);
    must(g->units[unit] != NULL, "mapping");
    to = strcmp(space, "input") == 0 ? g->units[unit]->tab_input_registers : g->units[unit]->tab_registers;
    while ((word = strsep(&rest, " ")) != NULL) {
        if (first >= REGISTERS)
            return 0;
        to[first++] = (uint16_t)atoi(word);
    }
    return 1;
}

static int start_gateway(struct gateway *g)
{
    pthread_t thread;
    uint16_t port = 0;

    g->ctx = modbus_new_tcp("127.0.0.1", 0);
    must(g->ctx != NULL, "modbus");
    g->listener = peer_listen(&port);
    must(pthread_create(&thread, NULL, serve, g) == 0, "thread");
    return port;
}

int main(int argc, char **argv)
{
    enum peer_kind farm[FARM] = {[4] = PEER_DEAD, [7] = PEER_SLOW, [11] = PEER_CLOSED, [15] = PEER_LIAR};
    enum peer_kind bus[SLAVES] = {[2] = PEER_DEAD, [3] = PEER_SLOW, [4] = PEER_LIAR};
    struct peer servers, line;
    struct gateway gateway = {0};
    char text[1000];

    if (argc != 2)
        return 2;
    peer_start_farm(&servers, farm, FARM);
    peer_start_bus(&line, argv[1], bus, SLAVES);
    printf("%d", start_gateway(&gateway));
    for (int i = 0; i < FARM; i++)
        printf(" %d", servers.ports[i]);
    putchar('\n');
    fflush(stdout);
    while (fgets(text, sizeof text, stdin)) {
        text[strcspn(text, "\n")] = '\0';
        puts(fill(&gateway, text) ? "done" : "what?");
        fflush(stdout);
    }
    peer_stop(&servers);
    peer_stop(&line);
    return 0;
}

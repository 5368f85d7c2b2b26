/*
 * snmpread [-v VERSION] ADDRESS PORT COMMUNITY OID...: reads what is named and
 * prints the cells. An OID that ends in * is a column; one OID with / behind it is
 * walked. For looking at devices while working on the collector.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "plugin/loop.h"
#include "plugins/snmp/snmp.h"

struct reader {
    struct pd_loop *loop;
    char **oids;
    size_t cells;
    int status;
};

static void print_ids(const uint32_t *id, size_t n)
{
    for (size_t i = 0; i < n; i++)
        printf(i ? ".%u" : "%u", (unsigned)id[i]);
}

static void print_cell(const struct reader *r, const struct pd_cell *c)
{
    char *text;

    printf("%s [", r->oids[c->source]);
    print_ids(c->instance, c->ninstance);
    printf("] ");
    switch (c->type) {
    case PD_CELL_INT:
        printf("int %lld\n", (long long)c->i);
        break;
    case PD_CELL_UINT:
    case PD_CELL_TICKS:
        printf("%s %llu\n", c->type == PD_CELL_UINT ? "uint" : "ticks", (unsigned long long)c->u);
        break;
    case PD_CELL_FLOAT:
        printf("float %g\n", c->f);
        break;
    case PD_CELL_OID:
        printf("oid ");
        print_ids(c->oid, c->nbytes);
        printf("\n");
        break;
    case PD_CELL_BYTES:
        text = str_clean(c->bytes, c->nbytes, 200);
        printf("bytes(%u) %s\n", (unsigned)c->nbytes, text);
        free(text);
        break;
    default:
        printf("%s\n", c->type == PD_CELL_NULL ? "null" : c->type == PD_CELL_ABSENT ? "absent" : "invalid");
    }
}

static void on_cells(void *arg, const struct pd_cell *cells, size_t n)
{
    struct reader *r = arg;

    r->cells += n;
    for (size_t i = 0; i < n; i++)
        print_cell(r, &cells[i]);
}

static void on_end(void *arg, const struct pd_read_result *res)
{
    static const char *const names[] = {"done", "partial", "no answer", "refused", "broken", "cancelled"};
    struct reader *r = arg;

    fprintf(stderr, "%s: %zu cells, %u requests, %u repeated, first answer after %d ms%s%s\n", names[res->status],
            r->cells, (unsigned)res->requests, (unsigned)res->retries, (int)res->rtt_ms, res->detail ? ": " : "",
            res->detail ? res->detail : "");
    r->status = res->status;
    pd_loop_stop(r->loop);
}

static int start(struct pd_collector *c, struct pd_device *d, struct reader *r, int n, struct pd_plan **plan)
{
    const struct pd_collector_ops *ops = &pd_snmp_ops;
    struct pd_sink sink = {.cells = on_cells, .end = on_end, .arg = r};
    struct pd_source *sources = xcalloc((size_t)n, sizeof *sources);
    struct pd_compile_error err;
    struct pd_read *read;
    char *last = strchr(r->oids[0], '/');
    int rc;

    if (last) {
        *last = '\0';
        rc = ops->walk(d, r->oids[0], &sink, &read);
        free(sources);
        return rc;
    }
    for (int i = 0; i < n; i++) {
        last = strstr(r->oids[i], ".*");
        if (last)
            *last = '\0';
        sources[i] = (struct pd_source){.id = (uint32_t)i, .address = r->oids[i], .table = last != NULL};
    }
    rc = ops->compile(c, sources, (size_t)n, plan, &err);
    free(sources);
    if (rc < 0) {
        fprintf(stderr, "snmpread: %s\n", err.msg);
        return rc;
    }
    return ops->read(d, *plan, 1, &sink, &read);
}

int main(int argc, char **argv)
{
    struct pd_target target = {.name = "device", .version = 2, .retries = -1};
    struct reader r = {0};
    struct pd_collector *c;
    struct pd_device *d;
    struct pd_plan *plan = NULL;
    int opt, rc = 2;

    while ((opt = getopt(argc, argv, "v:")) != -1) {
        if (opt != 'v')
            return 2;
        target.version = (uint8_t)atoi(optarg);
    }
    if (argc - optind < 4) {
        fprintf(stderr, "usage: snmpread [-v 1|2] ADDRESS PORT COMMUNITY OID|COLUMN.*|ROOT/ ...\n");
        return 2;
    }
    target.address = argv[optind];
    target.port = (uint16_t)atoi(argv[optind + 1]);
    target.community = argv[optind + 2];
    r.oids = argv + optind + 3;
    if (pd_loop_new(&clock_system, &rng_system, &r.loop) < 0)
        return 1;
    if (pd_snmp_ops.start(pd_loop_services(r.loop), NULL, &c) < 0)
        return 1;
    if (pd_snmp_ops.open(c, &target, &d) == 0 && start(c, d, &r, argc - optind - 3, &plan) == 0) {
        pd_loop_run(r.loop);
        rc = r.status == PD_READ_DONE ? 0 : 1;
    }
    pd_snmp_ops.stop(c);
    pd_snmp_ops.plan_free(plan);
    pd_loop_free(r.loop);
    return rc;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ctl/tape.h"
#include "model/profile.h"

enum {
    ADDRESS_TAG = 64,
    STRING_TAG = 4,
    SHORTEST = 4, /* letters of a text that is looked for inside other texts */
    MAC = 6,
    IP = 4,
    MAX_TRIES = 50, /* for a substitute that nothing else has */
};

/* A private text and what stands for it. */
struct secret {
    char *from, *to;
    size_t n;
};

struct private_rule {
    uint32_t oid[OID_PREFIX_MAX];
    size_t n;
    const struct private_object *says;
};

struct blank {
    struct rng_seeded seeded;
    struct pd_rng rng;
    ARRAY(struct private_rule) rules;
    ARRAY(struct secret) secrets;
    struct dict *texts;         /* original -> place in secrets + 1 */
    struct dict *used;          /* substitutes */
    struct u64dict *ips, *macs; /* original + 1 -> substitute + 1 */
};

/* ---- Substitutes ---- */

static char other_letter(struct blank *b, char c)
{
    if (c >= '0' && c <= '9')
        return (char)('0' + rng_below(&b->rng, 10));
    if (c >= 'A' && c <= 'Z')
        return (char)('A' + rng_below(&b->rng, 26));
    if ((c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80)
        return (char)('a' + rng_below(&b->rng, 26));
    return (unsigned char)c < ' ' ? '.' : c;
}

static void learn_text(struct blank *b, const char *text, size_t n)
{
    char *from = xstrndup(text, n), *to = xstrndup(text, n);

    n = strlen(from);
    if (n == 0 || dict_get(b->texts, from)) {
        free(from);
        free(to);
        return;
    }
    for (int i = 0; i < MAX_TRIES && (i == 0 || strcmp(to, from) == 0 || dict_get(b->used, to)); i++)
        for (size_t k = 0; k < n; k++)
            to[k] = other_letter(b, from[k]);
    dict_put(b->used, to, b);
    array_push(&b->secrets, ((struct secret){from, to, n}));
    dict_put(b->texts, from, (void *)(uintptr_t)b->secrets.n);
}

/* What is no machine's own address stays: none, masks, this machine, many at once. */
static bool is_common(uint32_t ip)
{
    uint32_t inverse = ~ip;

    return ip >> 24 == 0 || ip >> 24 == 127 || ip >> 24 >= 224 || (inverse & (inverse + 1)) == 0;
}

/* 198.18.0.0/15 is nobody's (RFC 2544): substitutes are taken from it in turn. */
static uint32_t other_ip(struct blank *b, uint32_t ip)
{
    uint64_t to;

    if (is_common(ip))
        return ip;
    to = (uintptr_t)u64dict_get(b->ips, (uint64_t)ip + 1);
    if (!to) {
        to = ((UINT32_C(198) << 24 | UINT32_C(18) << 16) + 1 + u64dict_count(b->ips) % 131000) + UINT64_C(1);
        u64dict_put(b->ips, (uint64_t)ip + 1, (void *)(uintptr_t)to);
    }
    return (uint32_t)(to - 1);
}

static uint64_t mac_of(const uint8_t *p)
{
    uint64_t mac = 0;

    for (int i = 0; i < MAC; i++)
        mac = mac << 8 | p[i];
    return mac;
}

/* Its first half tells the maker and stays. */
static uint64_t other_mac(struct blank *b, uint64_t mac)
{
    uint64_t to;

    if (mac == 0 || mac == UINT64_C(0xffffffffffff))
        return mac;
    to = (uintptr_t)u64dict_get(b->macs, mac + 1);
    if (!to) {
        to = (mac & ~UINT64_C(0xffffff)) + (u64dict_count(b->macs) + 1) % 0xffffff + 1;
        u64dict_put(b->macs, mac + 1, (void *)(uintptr_t)to);
    }
    return to - 1;
}

/* ---- Rules ---- */

static bool begins(const struct taped *o, const struct private_rule *r)
{
    return o->n >= r->n && memcmp(o->oid, r->oid, r->n * sizeof *r->oid) == 0;
}

static void take_rules(struct blank *b, const struct private_data *what)
{
    for (size_t i = 0; i < what->objects.n; i++) {
        struct private_rule r = {.says = &what->objects.v[i]};

        r.n = oid_numbers(r.says->object, r.oid);
        if (r.n > 0)
            array_push(&b->rules, r);
    }
}

static enum private_holds holds(const struct blank *b, const struct taped *o)
{
    for (size_t i = 0; i < b->rules.n; i++)
        if (b->rules.v[i].says->holds != PRIVATE_NOTHING && begins(o, &b->rules.v[i]))
            return b->rules.v[i].says->holds;
    return PRIVATE_NOTHING;
}

/* ---- Learning ---- */

static bool is_mac(const struct taped *o)
{
    return o->tag == STRING_TAG && o->ndata == MAC;
}

static uint32_t ip_of(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void learn(struct blank *b, const struct taped *o)
{
    enum private_holds h = holds(b, o);

    if (o->tag == ADDRESS_TAG && o->ndata == IP)
        (void)other_ip(b, ip_of((const uint8_t *)o->data));
    else if (h != PRIVATE_NOTHING && is_mac(o) && (h == PRIVATE_MAC || !str_utf8_valid(o->data, o->ndata)))
        (void)other_mac(b, mac_of((const uint8_t *)o->data));
    else if (h == PRIVATE_TEXT && o->tag == STRING_TAG)
        learn_text(b, o->data, o->ndata);
}

/* ---- Texts ---- */

/* Versions of programs look like addresses too: what nothing else says to be one is held to be one from 20 on. */
static bool is_address(const struct blank *b, uint32_t ip)
{
    return ip >> 24 >= 20 || ip >> 24 == 10 || u64dict_get(b->ips, (uint64_t)ip + 1);
}

/* An address in words, at s: its length and substitute. */
static size_t ip_text(struct blank *b, const char *s, char out[static 16])
{
    unsigned v[IP];
    int n = 0;

    if (*s < '0' || *s > '9' || sscanf(s, "%3u.%3u.%3u.%3u%n", &v[0], &v[1], &v[2], &v[3], &n) != IP || n == 0 ||
        v[0] > 255 || v[1] > 255 || v[2] > 255 || v[3] > 255 || (s[n] == '.' && s[n + 1] >= '0' && s[n + 1] <= '9') ||
        !is_address(b, v[0] << 24 | v[1] << 16 | v[2] << 8 | v[3]))
        return 0;
    v[0] = other_ip(b, v[0] << 24 | v[1] << 16 | v[2] << 8 | v[3]);
    (void)snprintf(out, 16, "%u.%u.%u.%u", v[0] >> 24, v[0] >> 16 & 255, v[0] >> 8 & 255, v[0] & 255);
    return (size_t)n;
}

static size_t mac_text(struct blank *b, const char *s, char out[static 20])
{
    unsigned v[MAC];
    uint64_t mac = 0;
    char sep;
    int n = 0;

    if (strlen(s) < 17 || (s[2] != ':' && s[2] != '-'))
        return 0;
    sep = s[2];
    if (sscanf(s, sep == ':' ? "%2x:%2x:%2x:%2x:%2x:%2x%n" : "%2x-%2x-%2x-%2x-%2x-%2x%n", &v[0], &v[1], &v[2], &v[3],
               &v[4], &v[5], &n) != MAC ||
        n != 17)
        return 0;
    for (int i = 0; i < MAC; i++)
        mac = mac << 8 | v[i];
    mac = other_mac(b, mac);
    for (int i = 0; i < MAC; i++)
        (void)snprintf(out + 3 * i, 4, "%02x%c", (unsigned)(mac >> (8 * (MAC - 1 - i)) & 255), sep);
    out[17] = '\0';
    return 17;
}

/* The longest secret that stands at s. */
static const struct secret *secret_at(const struct blank *b, const char *s, size_t left)
{
    const struct secret *best = NULL;

    for (size_t i = 0; i < b->secrets.n; i++) {
        const struct secret *x = &b->secrets.v[i];

        if (x->n >= SHORTEST && x->n <= left && (!best || x->n > best->n) && x->from[0] == s[0] &&
            memcmp(x->from, s, x->n) == 0)
            best = x;
    }
    return best;
}

/* What of other things stands in a text. */
static void blank_inside(struct blank *b, struct taped *o)
{
    struct sbuf out = {0};
    bool digit_before = false;

    for (size_t i = 0; i < o->ndata;) {
        const struct secret *x = secret_at(b, o->data + i, o->ndata - i);
        char words[20];
        size_t n = 0;

        if (!x && !digit_before)
            n = ip_text(b, o->data + i, words);
        if (!x && n == 0 && !digit_before)
            n = mac_text(b, o->data + i, words);
        if (x)
            sbuf_addn(&out, x->to, n = x->n);
        else if (n > 0)
            sbuf_add(&out, words);
        else
            sbuf_addc(&out, o->data[i]);
        i += n > 0 ? n : 1;
        digit_before = (o->data[i - 1] >= '0' && o->data[i - 1] <= '9') || o->data[i - 1] == '.';
    }
    free(o->data);
    o->ndata = out.n;
    o->data = sbuf_take(&out);
}

static void put_ip(uint8_t *p, uint32_t ip)
{
    for (int i = 0; i < IP; i++)
        p[i] = (uint8_t)(ip >> (8 * (IP - 1 - i)));
}

static void blank_value(struct blank *b, struct taped *o)
{
    uint8_t *p = (uint8_t *)o->data;
    uint64_t mac;
    size_t known;

    if (o->tag == ADDRESS_TAG && o->ndata == IP) {
        put_ip(p, other_ip(b, ip_of(p)));
        return;
    }
    if (o->tag != STRING_TAG || o->ndata == 0)
        return;
    known = holds(b, o) == PRIVATE_TEXT ? (uintptr_t)dict_get(b->texts, o->data) : 0;
    if (is_mac(o) && u64dict_get(b->macs, mac_of(p) + 1)) {
        mac = other_mac(b, mac_of(p));
        for (int i = 0; i < MAC; i++)
            p[i] = (uint8_t)(mac >> (8 * (MAC - 1 - i)));
    } else if (known) { /* what stands behind a NUL is nothing to anybody */
        const struct secret *x = &b->secrets.v[known - 1];

        memset(o->data, 0, o->ndata);
        memcpy(o->data, x->to, x->n);
    } else if (!memchr(o->data, 0, o->ndata)) {
        blank_inside(b, o);
    }
}

/* ---- Rows' names ---- */

static bool are_octets(const uint32_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] > 255)
            return false;
    return true;
}

static void blank_ip_arcs(struct blank *b, uint32_t *p)
{
    uint32_t ip;

    if (!are_octets(p, IP))
        return;
    ip = other_ip(b, p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]);
    for (int i = 0; i < IP; i++)
        p[i] = ip >> (8 * (IP - 1 - i)) & 255;
}

static void blank_mac_arcs(struct blank *b, uint32_t *p)
{
    uint64_t mac = 0;

    if (!are_octets(p, MAC))
        return;
    for (int i = 0; i < MAC; i++)
        mac = mac << 8 | p[i];
    mac = other_mac(b, mac);
    for (int i = 0; i < MAC; i++)
        p[i] = (uint32_t)(mac >> (8 * (MAC - 1 - i)) & 255);
}

/* InetAddressType, length, address: IPv4, or IPv6, whose last half is put aside. */
static void blank_inet(struct blank *b, uint32_t *p, size_t n)
{
    for (size_t i = 0; i + 2 < n; i++) {
        if (p[i] == 1 && p[i + 1] == IP && i + 2 + IP <= n && are_octets(p + i + 2, IP)) {
            blank_ip_arcs(b, p + i + 2);
            i += 1 + IP;
        } else if ((p[i] == 2 || p[i] == 4) && p[i + 1] >= 16 && i + 18 <= n && are_octets(p + i + 2, 16)) {
            blank_ip_arcs(b, p + i + 2 + 8);
            blank_ip_arcs(b, p + i + 2 + 12);
            i += 17;
        }
    }
}

static void blank_name(struct blank *b, struct taped *o)
{
    for (size_t i = 0; i < b->rules.n; i++) {
        const struct private_rule *r = &b->rules.v[i];
        uint32_t *row = o->oid + r->n;
        size_t n;

        if (r->says->instance == PRIVATE_PLAIN || !begins(o, r))
            continue;
        n = o->n - r->n;
        if (r->says->instance == PRIVATE_IN_MAC && n >= MAC)
            blank_mac_arcs(b, row + n - MAC);
        else if (r->says->instance == PRIVATE_IN_IP && n >= IP)
            blank_ip_arcs(b, row + n - IP);
        else if (r->says->instance == PRIVATE_IN_INET)
            blank_inet(b, row, n);
        return;
    }
}

void tape_blank(struct tape *t, const struct private_data *what, uint64_t seed)
{
    struct blank b = {.texts = dict_new(), .used = dict_new(), .ips = u64dict_new(), .macs = u64dict_new()};

    b.rng = rng_seeded_ops(&b.seeded);
    rng_seed(&b.seeded, seed);
    take_rules(&b, what);
    for (size_t i = 0; i < t->n; i++)
        learn(&b, &t->v[i]);
    for (size_t i = 0; i < t->n; i++) {
        blank_value(&b, &t->v[i]);
        blank_name(&b, &t->v[i]);
    }
    tape_sort(t);
    for (size_t i = 0; i < b.secrets.n; i++) {
        free(b.secrets.v[i].from);
        free(b.secrets.v[i].to);
    }
    array_free(&b.secrets);
    array_free(&b.rules);
    dict_free(b.texts);
    dict_free(b.used);
    u64dict_free(b.ips);
    u64dict_free(b.macs);
}

/* A window as it was written: comes back whole or not at all, and then bears anything. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "../watch/one_window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void live(struct one *w)
{
    int64_t now = 0;

    for (int i = 0; i < 40; i++, now += i * 100000) {
        if (w->spec.type == WINDOW_SINCE)
            window_judge(one_window(w), now, value_bool(i % 3));
        else
            one_feed(w, now, value_num(i));
        for (int h = EXPR_AVG; h <= EXPR_SINCE; h++)
            if (window_type_of((enum expr_history)h) == w->spec.type)
                one_value(w, (enum expr_history)h, now);
    }
}

static void check_encoding(struct one *w)
{
    uint8_t bytes[WINDOW_MAX_BYTES];
    struct wire_out out = wire_out(bytes, sizeof bytes);

    one_encode(w, 0, &out);
    if (out.bad)
        abort();
}

/* The first byte chooses the type. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct window_spec s = {.length_ms = 3600000, .gap_ms = 900000, .limit = 100};
    struct wire_in in;
    struct one *w;

    if (size == 0)
        return 0;
    s.type = (enum window_type)(data[0] % (WINDOW_SINCE + 1));
    s.counter = data[0] & 0x80;
    in = wire_in(data + 1, size - 1);
    w = one_decode(&s, 0, &in);
    if (!w != in.bad)
        abort();
    if (w) {
        check_encoding(w);
        live(w);
        check_encoding(w);
    }
    one_free(w);
    return 0;
}

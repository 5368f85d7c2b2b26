#ifndef PD_MODEL_FORMAT_H
#define PD_MODEL_FORMAT_H

#include "base/str.h"
#include "model/vocabulary.h"

/* Appends a value as text: with its point's unit, members as codes, what is not known as its quality. */
void format_value(struct sbuf *out, const struct point_def *p, struct value v);

#endif

#ifndef PD_TESTS_WATCH_WALK_H
#define PD_TESTS_WATCH_WALK_H

#include "base/dict.h"

/*
 * What a device answers, and what its profile has to make of it, as text (tests/data/walks):
 *
 *     profile generic-ups
 *     1.3.6.1.2.1.33.1.2.4.0 i 100            # an integer; u: unsigned, s: text, x: octets, o: object identifier
 *     holding 131 = 1728 3 0xffff             # registers from an address on
 *     input 0 = f32 230.5                     # a float in two registers, the high one first
 *     holding 532 = text "Smart-UPS 3000"
 *     expect ups | ups | charge | 100 %       # kind, key, point, value; "none": there is no such component
 *     expect identity | serial | SN-1         # what its modules tell of the device itself; "unknown": they do not
 *     judge memory-high | Physical memory | false  # what a shipped rule says of it: true, false or unknown
 *     judge port-errors | ge1 | false | 7          # where each function over history gives this number
 *
 * Every part of the profile is read once; a further "profile" begins another device. Fails the test with file and line
 * where something else comes out. Into `read` go the names of the files ("if-mib.yaml") whose objects had a value.
 */
void walk_check(const char *path, struct dict *read);

#endif

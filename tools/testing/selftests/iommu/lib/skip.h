/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIB_SKIP_H
#define LIB_SKIP_H

/*
 * The harness of Linux 6.1 goes on with the test, and with the teardown, after a
 * SKIP in the set-up of the fixture. The first line of each.
 */
#define STOP_IF_SKIPPED() do { \
	if (_metadata->skip) \
		return; \
} while (0)

#endif

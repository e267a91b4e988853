/* SPDX-License-Identifier: GPL-2.0-only */
/* A call that uses an IOAS for as long as a test wants. Return 0 or -errno. */
#ifndef LIB_BUSY_H
#define LIB_BUSY_H

#include <pthread.h>
#include <stdint.h>

struct busy {
	int iommufd;
	uint32_t ioas;
	/* What the call reads, which has to wait for it */
	void *page;
	int holder;
	pthread_t thread;
	int rc;
};

/* The call is under way on return. */
int busy_start(struct busy *busy, int iommufd, uint32_t ioas);
/* -EINVAL from the call itself counts as success: it asks for nothing. */
int busy_end(struct busy *busy);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* A call that lasts for as long as a test wants. Return 0 or -errno. */
#ifndef LIB_BUSY_H
#define LIB_BUSY_H

#include <pthread.h>
#include <stdint.h>

struct busy {
	int fd;
	/* 0: one that uses @ioas */
	unsigned long request;
	uint32_t ioas;
	/* What the call reads, which has to wait for it */
	void *page;
	int holder;
	pthread_t thread;
	int rc;
};

/* The call is under way on return. This one uses an IOAS. */
int busy_start(struct busy *busy, int iommufd, uint32_t ioas);
/* This one is an ioctl whose argument is zero in all places. */
int busy_start_ioctl(struct busy *busy, int fd, unsigned long request);
/* -EINVAL from the call itself counts as success: it asks for nothing. */
int busy_end(struct busy *busy);

#endif

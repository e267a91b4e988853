// SPDX-License-Identifier: GPL-2.0-only
#include "meet.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

struct side {
	void (*step)(void *data);
	void *data;
	atomic_bool *stop;
	atomic_long turns;
};

static void *run(void *arg)
{
	struct side *side = arg;

	do {
		side->step(side->data);
		atomic_fetch_add(&side->turns, 1);
	} while (!atomic_load(side->stop));
	return NULL;
}

static long rarer(struct side *sides)
{
	long turns = atomic_load(&sides[0].turns);
	long others = atomic_load(&sides[1].turns);

	return turns < others ? turns : others;
}

long meet(void (*a)(void *data), void (*b)(void *data), void *data, int ms,
	  long least)
{
	atomic_bool stop = false;
	struct side sides[2] = {
		{ .step = a, .data = data, .stop = &stop },
		{ .step = b, .data = data, .stop = &stop },
	};
	pthread_t threads[2];
	int i;

	for (i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, run, &sides[i]))
			return -1;
	usleep(ms * 1000);
	/* A slow machine takes longer; one that does not get on is a failure */
	for (i = 0; i < 6000 && rarer(sides) < least; i++)
		usleep(10000);
	atomic_store(&stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return rarer(sides);
}

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
	long turns;
};

static void *run(void *arg)
{
	struct side *side = arg;

	do {
		side->step(side->data);
		side->turns++;
	} while (!atomic_load(side->stop));
	return NULL;
}

long meet(void (*a)(void *data), void (*b)(void *data), void *data, int ms)
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
	atomic_store(&stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return sides[0].turns < sides[1].turns ? sides[0].turns :
						 sides[1].turns;
}

// SPDX-License-Identifier: GPL-2.0-only
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slots.h"

/* How long a program may take, and how long what cannot be killed */
#define LIMIT_MS	8000
#define STUCK_MS	120000
/* A program in the log */
#define LOG_ROOM	8192

static volatile sig_atomic_t late;

static void on_alarm(int signal)
{
	late = 1;
}

/* From now on waiting is interrupted when the time is up, and again and again. */
static void set_alarm(unsigned int ms)
{
	struct itimerval timer = {
		.it_value = { ms / 1000, ms % 1000 * 1000 },
		.it_interval = { ms ? 1 : 0, 0 },
	};

	late = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
}

bool worker_init(struct worker *worker, struct pool *pool, unsigned int number,
		 const char *log_folder)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct rlimit none = { 0, 0 };
	char path[256];

	worker->pool = pool;
	worker->number = number;
	worker->log = -1;
	/* Orphans of programs come to us. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigaction(SIGALRM, &action, NULL);
	setrlimit(RLIMIT_CORE, &none);
	worker->file = state_create(&worker->state);
	if (worker->file < 0 || !run_prepare(worker->state))
		return false;
	slots_find(worker->state->slots, number);
	worker->has_cover = cover_open(&worker->cover);
	memcpy(worker->state->cover, worker->cover.files,
	       sizeof(worker->state->cover));
	if (log_folder) {
		snprintf(path, sizeof(path), "%s/ran-%u", log_folder, number);
		worker->log = out_of_reach(open(path, O_WRONLY | O_CREAT |
						O_TRUNC, 0644), O_CLOEXEC);
	}
	return true;
}

/* Where it is found when the machine dies */
static void note(struct worker *worker, const struct program *program)
{
	struct worker_state *seen = &worker->pool->workers[worker->number];
	unsigned long ran = atomic_load(&seen->ran);
	static char text[LOG_ROOM];
	long length;
	FILE *file;

	seen->history[ran % HISTORY] = *program;
	atomic_store(&seen->ran, ran + 1);
	if (worker->log < 0)
		return;
	file = fmemopen(text, sizeof(text), "w");
	if (!file)
		return;
	fprintf(file, "# %lu\n", ran);
	program_write(program, file);
	length = ftell(file);
	fclose(file);
	/* To its end, so that nothing of an earlier one is left */
	if (length > 0 && length < LOG_ROOM) {
		text[length] = 0;
		length++;
	}
	if (pwrite(worker->log, text, length, ran % HISTORY * LOG_ROOM) < 0)
		worker->log = -1;
}

/* Until @pid, or for 0 everybody, is gone; false when the time is up. */
static bool wait_for(pid_t pid, unsigned int ms)
{
	pid_t gone;

	set_alarm(ms);
	do
		gone = waitpid(-1, NULL, 0);
	while (gone > 0 ? gone != pid : errno == EINTR && !late);
	set_alarm(0);
	return gone > 0 || errno == ECHILD;
}

void worker_run(struct worker *worker, const struct program *program)
{
	struct worker_state *seen = &worker->pool->workers[worker->number];
	pid_t pid;

	note(worker, program);
	worker->state->program = *program;
	cover_reset(&worker->cover);
	pid = run_start(worker->state, worker->file);
	if (pid < 0)
		return;
	if (!wait_for(pid, LIMIT_MS))
		atomic_fetch_add(&seen->timeouts, 1);
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	if (!wait_for(0, STUCK_MS))
		atomic_store(&seen->stuck, true);
	if (worker->state->unplugged)
		slots_restore(worker->state->slots, worker->number);
}

static void run_for_edges(struct worker *worker, const struct program *program,
			  struct edges *edges)
{
	static uint8_t blocks[NR_BLOCKS];

	worker_run(worker, program);
	cover_collect(&worker->cover, blocks, edges);
}

/* Takes from @program what it does without and still has the @wanted edges. */
static void minimise(struct worker *worker, struct program *program,
		     struct edges *all, const struct edges *wanted)
{
	static struct program less;
	static struct edges edges;
	unsigned int i, k;

	for (i = program->nr; i-- && program->nr > 1 &&
	     !atomic_load(&worker->pool->stop);) {
		less = *program;
		program_remove(&less, i);
		run_for_edges(worker, &less, &edges);
		if (edges_within(wanted, &edges)) {
			*program = less;
			*all = edges;
		}
	}
	for (i = 0; i < program->nr; i++)
		for (k = 0; k < NR_MANNERS; k++) {
			if (!program->calls[i].manners[k])
				continue;
			less = *program;
			less.calls[i].manners[k] = 0;
			run_for_edges(worker, &less, &edges);
			if (edges_within(wanted, &edges)) {
				*program = less;
				*all = edges;
			}
		}
}

/* Keeps the program that was just run if it reached something new. */
static void judge(struct worker *worker, const struct program *program,
		  bool given)
{
	static struct edges edges, wanted, again;
	struct pool *pool = worker->pool;
	static struct program kept;

	cover_collect(&worker->cover, pool->blocks, &edges);
	wanted = edges;
	edges_unseen(&wanted, pool->seen);
	if (!wanted.nr)
		return;
	kept = *program;
	run_for_edges(worker, program, &again);
	edges_intersect(&wanted, &again);
	/* What came by chance alone is not looked at again, either way. */
	if (!wanted.nr) {
		pthread_mutex_lock(&pool->lock);
		while (edges.nr--)
			pool->seen[edges.list[edges.nr]] = 1;
		pthread_mutex_unlock(&pool->lock);
		return;
	}
	edges_intersect(&edges, &again);
	if (!given)
		minimise(worker, &kept, &edges, &wanted);
	pool_keep(pool, &kept, &edges);
}

static void rest_if_asked(struct worker *worker)
{
	struct worker_state *seen = &worker->pool->workers[worker->number];

	while (atomic_load(&worker->pool->pause) &&
	       !atomic_load(&worker->pool->stop)) {
		atomic_store(&seen->paused, true);
		usleep(10000);
	}
	atomic_store(&seen->paused, false);
}

/* Of what is kept, rather something that came late */
static const struct program *choose(struct pool *pool)
{
	unsigned int nr = atomic_load(&pool->nr_kept);

	/* Without traces all that was given is as good. */
	if (!nr)
		return pool->nr_given ?
			&pool->given[random_below(pool->nr_given)] : NULL;
	if (random_below(3) == 0 && nr > 20)
		return &pool->kept[nr - 1 - random_below(20)].program;
	return &pool->kept[random_below(nr)].program;
}

static void make_up(struct worker *worker, struct program *program)
{
	const struct program *base = choose(worker->pool);

	if (!base || !random_below(20)) {
		program_generate(program, &worker->choice);
		return;
	}
	*program = *base;
	program_mutate(program, choose(worker->pool), &worker->choice);
}

void worker_loop(struct worker *worker)
{
	struct pool *pool = worker->pool;
	static struct program program;
	unsigned long left = worker->mutations;

	while (!atomic_load(&pool->stop) &&
	       !atomic_load(&pool->workers[worker->number].stuck)) {
		unsigned int given = atomic_fetch_add(&pool->imported, 1);

		rest_if_asked(worker);
		if (given < pool->nr_given) {
			program = pool->given[given];
		} else {
			if (worker->mutations && !left--)
				break;
			make_up(worker, &program);
		}
		if (!program.nr)
			continue;
		worker_run(worker, &program);
		if (worker->has_cover)
			judge(worker, &program, given < pool->nr_given);
	}
	atomic_store(&pool->workers[worker->number].done, true);
}

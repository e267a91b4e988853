// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: fuzz [OPTIONS]		find programs that reach something new
 *	  fuzz --run FILE [OPTIONS]	run the programs of a file, in its order
 *	  fuzz --reduce COMMAND FILE...	make of one of the files a shorter program for
 *					which COMMAND, with its file appended, still
 *					has the status 3, and print the name of its file
 *	  fuzz --write-c FILE		the first program of a file, in C
 *
 *   --corpus FILE	programs to start with
 *   --out DIR		where to leave the corpus, and reports
 *   --minutes N	how long (default 1)
 *   --mutations N	how many programs each worker makes up, instead of a time
 *   --workers N	1 or 2 (default 2)
 *   --seed N		of chance
 *   --times N		how often, with --run
 *   --room BYTES	for the corpus (default 200000)
 *   --tap		the result as a test
 *
 * The status is 3 when the kernel has complained, or holds what it should not; it
 * is 4 when the machine cannot be used any further, for no fault of its kernel.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/fault.h"
#include "reduce.h"
#include "run.h"
#include "slots.h"
#include "watch.h"
#include "worker.h"

#define CENSUS_SECONDS	15
#define STATUS_REPORT	3
#define STATUS_MACHINE	4

static struct {
	const char *corpus;
	const char *out;
	const char *run;
	double minutes;
	unsigned long mutations;
	unsigned int workers;
	unsigned long seed;
	unsigned int times;
	size_t room;
	bool tap;
} options = {
	.minutes = 1, .workers = 2, .seed = 1, .times = 1, .room = 200000,
};

static struct pool *pool;
static time_t started;

static unsigned long ran(void)
{
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < MAX_WORKERS; i++)
		sum += atomic_load(&pool->workers[i].ran);
	return sum;
}

static void tell(void)
{
	unsigned long late = 0;
	unsigned int i;

	for (i = 0; i < MAX_WORKERS; i++)
		late += atomic_load(&pool->workers[i].timeouts);
	printf("# fuzz: %ld s, %lu programs, %lu late, %u kept, %u edges, %u blocks\n",
	       (long)(time(NULL) - started), ran(), late,
	       atomic_load(&pool->nr_kept), pool_count_edges(pool),
	       pool_count_blocks(pool));
	fflush(stdout);
}

/* What was run last, oldest first, for whoever looks into the report. */
static void write_history(unsigned int number)
{
	struct worker_state *seen = &pool->workers[number];
	unsigned long nr = atomic_load(&seen->ran), i;
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/history-%u", options.out, number);
	file = fopen(path, "w");
	if (!file)
		return;
	for (i = nr > HISTORY ? nr - HISTORY : 0; i < nr; i++)
		program_write(&seen->history[i % HISTORY], file);
	fclose(file);
}

static bool any_stuck(void)
{
	unsigned int i;

	for (i = 0; i < options.workers; i++)
		if (atomic_load(&pool->workers[i].stuck))
			return true;
	return false;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

/* Whether somebody who sleeps on a CPU wakes up again */
static bool wakes_up(int cpu)
{
	double end = now() + 20;
	cpu_set_t cpus;
	pid_t pid;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	pid = fork();
	if (!pid) {
		sched_setaffinity(0, sizeof(cpus), &cpus);
		usleep(1000);
		_exit(0);
	}
	while (now() < end) {
		if (waitpid(pid, NULL, WNOHANG))
			return true;
		sched_yield();
	}
	return false;
}

/*
 * An emulated CPU can lose its timer, when the emulator loses the end of its
 * interrupt: seen with several CPUs on a busy host, and long before anything of
 * ours is loaded.
 */
static bool machine_is_broken(void)
{
	int cpu;

	for (cpu = 0; cpu < get_nprocs(); cpu++)
		if (!wakes_up(cpu))
			return true;
	return false;
}

static int report(const char *line)
{
	unsigned int i;

	if (any_stuck() && machine_is_broken()) {
		puts("# fuzz: a CPU of this machine has lost its timer");
		return STATUS_MACHINE;
	}
	printf("# fuzz: report: %s\n", line);
	if (options.out)
		for (i = 0; i < options.workers; i++)
			write_history(i);
	return STATUS_REPORT;
}

static bool all_paused(void)
{
	unsigned int i;

	for (i = 0; i < options.workers; i++)
		if (!atomic_load(&pool->workers[i].paused) &&
		    !atomic_load(&pool->workers[i].done))
			return false;
	return true;
}

static bool all_done(void)
{
	unsigned int i;

	for (i = 0; i < options.workers; i++)
		if (!atomic_load(&pool->workers[i].done))
			return false;
	return true;
}

/* By a fault of its own: a program can harm only itself */
static bool any_dead(void)
{
	static bool dead;
	int status;

	if (waitpid(-1, &status, WNOHANG) > 0)
		dead |= !WIFEXITED(status) || WEXITSTATUS(status);
	return dead;
}

/* Looks once; with @census also at what is held, while the workers wait. */
static bool trouble(char *line, size_t size, bool census)
{
	bool found = watch_log(line, size);

	if (!found && any_stuck()) {
		snprintf(line, size, "a program cannot be killed");
		system("echo w >/proc/sysrq-trigger");
		found = true;
	}
	if (!found && any_dead()) {
		snprintf(line, size, "a worker has ended");
		found = true;
	}
	if (found || !census)
		return found;

	atomic_store(&pool->pause, true);
	while (!all_paused() && !any_stuck() && !any_dead())
		usleep(20000);
	found = !any_stuck() &&
		(watch_census(line, size) || watch_log(line, size));
	atomic_store(&pool->pause, false);
	return found;
}

static pid_t start_worker(unsigned int number)
{
	static struct worker worker;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid)
		return pid;
	random_seed(options.seed * 1000003 + number);
	if (!worker_init(&worker, pool, number, options.out)) {
		perror("fuzz: worker");
		_exit(1);
	}
	worker.choice.faults = fault_available();
	worker.mutations = options.mutations;
	if (!number)
		printf("# fuzz: %s coverage, %s injected failures\n",
		       worker.has_cover ? "with" : "without",
		       worker.choice.faults ? "with" : "without");
	fflush(stdout);
	worker_loop(&worker);
	_exit(0);
}

static int fuzz(void)
{
	pid_t pids[MAX_WORKERS];
	time_t next_census, next_tell, end;
	char line[512] = "";
	int status = 0;
	unsigned int i;

	for (i = 0; i < options.workers; i++)
		pids[i] = start_worker(i);
	started = time(NULL);
	end = started + (options.mutations ? 1000000 : options.minutes * 60);
	next_census = started + CENSUS_SECONDS;
	next_tell = started + 60;
	while (time(NULL) < end && !status) {
		time_t now = time(NULL);

		usleep(200000);
		if (trouble(line, sizeof(line), now >= next_census))
			status = report(line);
		if (now >= next_census)
			next_census = time(NULL) + CENSUS_SECONDS;
		if (now >= next_tell) {
			tell();
			next_tell = now + 60;
		}
		if (options.mutations && all_done())
			break;
	}
	atomic_store(&pool->stop, true);
	/* Who is stuck does not end. */
	for (i = 0; i < options.workers && !any_stuck(); i++)
		waitpid(pids[i], NULL, 0);
	if (!status && trouble(line, sizeof(line), true))
		status = report(line);
	tell();
	return status;
}

/* The given programs in their order, by one worker. */
static int run_given(void)
{
	static struct worker worker;
	char line[512] = "";
	unsigned int k, i;

	if (!worker_init(&worker, pool, 0, options.out)) {
		perror("fuzz: worker");
		return 1;
	}
	fault_available();
	for (k = 0; k < options.times; k++)
		for (i = 0; i < pool->nr_given; i++) {
			worker_run(&worker, &pool->given[i]);
			if (watch_log(line, sizeof(line)))
				return report(line);
			if (any_stuck())
				return report("a program cannot be killed");
		}
	return watch_census(line, sizeof(line)) ? report(line) : 0;
}

static void write_corpus(void)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/corpus", options.out);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		return;
	}
	pool_write(pool, file, options.room);
	fclose(file);
}

/* "MODULE OFFSET" of each block that was reached */
static void write_blocks(void)
{
	char path[256];
	unsigned int i;
	FILE *file;

	snprintf(path, sizeof(path), "%s/blocks", options.out);
	file = fopen(path, "w");
	if (!file) {
		perror(path);
		return;
	}
	for (i = 0; i < NR_BLOCKS; i++)
		if (pool->blocks[i])
			fprintf(file, "%s %#x\n",
				cover_module(i / MODULE_MAX), i % MODULE_MAX);
	fclose(file);
}

static void read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "corpus", required_argument, NULL, 'c' },
		{ "out", required_argument, NULL, 'o' },
		{ "run", required_argument, NULL, 'r' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "mutations", required_argument, NULL, 'n' },
		{ "workers", required_argument, NULL, 'w' },
		{ "seed", required_argument, NULL, 's' },
		{ "times", required_argument, NULL, 't' },
		{ "room", required_argument, NULL, 'b' },
		{ "tap", no_argument, NULL, 'p' },
		{ }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.corpus = optarg;
			break;
		case 'o':
			options.out = optarg;
			break;
		case 'r':
			options.run = optarg;
			break;
		case 'm':
			options.minutes = atof(optarg);
			break;
		case 'n':
			options.mutations = strtoul(optarg, NULL, 0);
			break;
		case 'w':
			options.workers = atoi(optarg);
			break;
		case 's':
			options.seed = strtoul(optarg, NULL, 0);
			break;
		case 't':
			options.times = atoi(optarg);
			break;
		case 'b':
			options.room = strtoul(optarg, NULL, 0);
			break;
		case 'p':
			options.tap = true;
			break;
		default:
			exit(2);
		}
	}
	if (optind < argc || !options.workers || options.workers > MAX_WORKERS) {
		fputs("fuzz: wrong arguments\n", stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files = { 4096, 4096 };
	int status;

	if (argc == 3 && !strcmp(argv[1], "--resume"))
		return state_resume(atoi(argv[2]));
	if (argc >= 4 && !strcmp(argv[1], "--reduce"))
		return reduce(argv[2], argv + 3, argc - 3);
	if (argc == 3 && !strcmp(argv[1], "--write-c"))
		return write_c(argv[2]);
	read_options(argc, argv);

	pool = pool_create();
	if (!pool) {
		perror("fuzz: memory");
		return 1;
	}
	if ((options.corpus && pool_give(pool, options.corpus)) ||
	    (options.run && pool_give(pool, options.run)))
		return 2;
	setrlimit(RLIMIT_NOFILE, &files);
	slots_prepare();
	{
		/* Finding the devices once gives them their driver. */
		struct slot slots[NR_SLOTS];
		unsigned int i;

		for (i = 0; i < MAX_WORKERS; i++)
			slots_find(slots, i);
	}
	if (!watch_start()) {
		perror("fuzz: kernel log");
		return 1;
	}

	status = options.run ? run_given() : fuzz();
	if (options.out && !options.run)
		write_blocks();
	if (options.out && !options.run && status != STATUS_REPORT)
		write_corpus();
	/* A test that has run less than it was to has not passed. */
	if (options.mutations && !status &&
	    ran() < pool->nr_given + options.mutations * options.workers)
		status = STATUS_REPORT;
	if (options.tap)
		printf("TAP version 13\n1..1\n%sok 1 %s%lu programs leave the machine as it was\n",
		       status == STATUS_REPORT ? "not " : "",
		       status == STATUS_MACHINE ?
		       "# SKIP a CPU of the machine lost its timer: " : "",
		       ran());
	return status;
}

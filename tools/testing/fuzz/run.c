// SPDX-License-Identifier: GPL-2.0-only
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "cover.h"

#define STRUCTS_SIZE	(2 * PAGE)
#define OUT_OF_REACH	1000
/* From one thread's structures to the other's */
#define STRUCTS_STEP	0x10000UL

/* The second thread, and what it is to do: a call's number, or one of these. */
enum { IDLE = -1, TAKEN = -2 };

static struct thread threads[2];
static pthread_t second;
static bool second_runs;
static atomic_int job = IDLE;
static int state_file = -1;
/* After exec a trace goes on by itself, and has no file any more. */
static bool traced = true;

static void open_fail(struct thread *thread)
{
	thread->fail = out_of_reach(open("/proc/thread-self/fail-nth", O_RDWR),
				    O_CLOEXEC);
}

static void fail_set(struct thread *thread, unsigned long nth)
{
	char text[24];
	int length = snprintf(text, sizeof(text), "%lu", nth);

	/* Clearing it may itself be what fails. */
	while (pwrite(thread->fail, text, length, 0) != length)
		if (nth)
			break;
}

static void cover_begin(const struct thread *thread)
{
	int file = thread->state->cover[thread->number];

	if (file >= 0 && traced)
		ioctl(file, KCOV_ENABLE, KCOV_TRACE_PC);
}

/* The ioctl of a 32-bit program */
static int64_t small_ioctl(int fd, uint32_t request, uint32_t arg)
{
	int32_t rc;

	asm volatile("int $0x80" : "=a" (rc)
		     : "0" (54), "b" (fd), "c" (request), "d" (arg)
		     : "memory", "r8", "r9", "r10", "r11");
	return rc;
}

struct place struct_place(struct thread *thread)
{
	const uint64_t *manners = thread->call->manners;
	uint64_t base = STRUCTS_AT + thread->number * STRUCTS_STEP;
	struct place place = { .user = base, .room = STRUCT_MAX };

	if (manners[CUT]) {
		place.room = manners[CUT] % STRUCT_MAX;
		place.user = base + STRUCTS_SIZE - place.room;
	}
	place.here = (uint8_t *)place.user;
	memset(place.here, 0, place.room);
	if (manners[READ_ONLY])
		place.user += READ_ONLY_AT - STRUCTS_AT;
	if (manners[POINTER])
		place.user = manners[POINTER];
	return place;
}

/* Little-endian, as everything here */
static void put(const struct place *place, size_t offset, uint64_t value,
		size_t size)
{
	size_t i;

	for (i = 0; i < size && offset + i < place->room; i++)
		place->here[offset + i] = value >> (8 * i);
}

static int64_t ioctl_call(struct thread *thread, const uint64_t *args)
{
	const struct call_type *type = type_of(thread->call);
	struct place place = struct_place(thread);
	uint64_t made = 0;
	unsigned int i;
	int64_t rc;

	for (i = 1; type->args[i].name; i++) {
		uint64_t value = args[i];

		if (type->args[i].sort == INNER && !value)
			value = place.user + type->args[i].mask;
		put(&place, type->args[i].offset, value, type->args[i].size);
	}
	if (thread->call->manners[SMALL]) {
		rc = small_ioctl(args[0], type->request, place.user);
	} else {
		rc = ioctl(args[0], type->request, place.user);
		if (rc < 0)
			rc = -errno;
	}
	if (rc < 0 || !type->made_size)
		return rc;
	if (type->made_offset + type->made_size > place.room)
		return rc;
	memcpy(&made, place.here + type->made_offset, type->made_size);
	return made;
}

static uint64_t arg_value(const struct thread *thread, const struct arg *arg)
{
	uint64_t made;

	if (arg->ref == NO_REF)
		return arg->value;
	made = thread->state->made[arg->ref];
	return made == NOTHING_MADE ? made : made + arg->value;
}

static void make_call(struct thread *thread, unsigned int index)
{
	const struct call *call = &thread->state->program.calls[index];
	const struct call_type *type = type_of(call);
	uint64_t args[MAX_ARGS];
	unsigned int i, times;
	int64_t rc;

	thread->call = call;
	cover_mark(thread->number);
	for (i = 0; i < nr_args(type); i++)
		args[i] = arg_value(thread, &call->args[i]);
	times = call->manners[TIMES] % 64;
	if (call->manners[FAIL])
		fail_set(thread, call->manners[FAIL]);
	do
		rc = type->run ? type->run(thread, args) :
			ioctl_call(thread, args);
	while (times-- > 1);
	if (call->manners[FAIL])
		fail_set(thread, 0);
	/* What makes no number of its own returns an error or nothing. */
	thread->state->made[index] = rc < 0 && rc > -4096 ? NOTHING_MADE : rc;
}

static void *second_thread(void *arg)
{
	struct thread *thread = arg;
	int index;

	open_fail(thread);
	cover_begin(thread);
	for (;;) {
		index = atomic_load(&job);
		if (index < 0) {
			sched_yield();
			continue;
		}
		atomic_store(&job, TAKEN);
		make_call(thread, index);
		atomic_store(&job, IDLE);
	}
	return NULL;
}

static void wait_for_second(void)
{
	while (second_runs && atomic_load(&job) != IDLE)
		sched_yield();
}

static void make_call_beside(unsigned int index)
{
	if (!second_runs && !pthread_create(&second, NULL, second_thread,
					    &threads[1]))
		second_runs = true;
	if (!second_runs)
		return;
	wait_for_second();
	atomic_store(&job, index);
	while (atomic_load(&job) == (int)index)
		sched_yield();
}

static void execute(unsigned int from, unsigned int end);

/* A process that makes the next calls; returns how many that are. */
static unsigned int make_fork(const struct call *call, unsigned int index,
			      unsigned int end)
{
	unsigned int nr = arg_value(&threads[0], &call->args[0]) % 8;
	uint64_t how = arg_value(&threads[0], &call->args[1]);
	pid_t pid;

	if (index + 1 + nr > end)
		nr = end - index - 1;
	/* It would inherit a call that never ends. */
	wait_for_second();
	pid = fork();
	if (!pid) {
		second_runs = false;
		cover_forget();
		close(threads[0].fail);
		open_fail(&threads[0]);
		execute(index + 1, index + 1 + nr);
		if (how & FORK_KILLED)
			raise(SIGKILL);
		_exit(0);
	}
	if (pid > 0 && !(how & FORK_BESIDE))
		waitpid(pid, NULL, 0);
	return nr;
}

static void make_exec(unsigned int index, unsigned int end)
{
	char file[16];
	char *argv[] = { "fuzz", "--resume", file, NULL };

	threads[0].state->next = index + 1;
	threads[0].state->end = end;
	snprintf(file, sizeof(file), "%d", state_file);
	wait_for_second();
	execv("/proc/self/exe", argv);
}

static void execute(unsigned int from, unsigned int end)
{
	struct thread *first = &threads[0];
	unsigned int i;

	for (i = from; i < end; i++) {
		const struct call *call = &first->state->program.calls[i];

		if (type_of(call)->run == call_fork)
			i += make_fork(call, i, end);
		else if (type_of(call)->run == call_exec)
			make_exec(i, end);
		else if (call->manners[BESIDE])
			make_call_beside(i);
		else
			make_call(first, i);
	}
	wait_for_second();
}

/* At a place where nothing is yet. */
static void *map_at(unsigned long place, size_t size, int prot, int flags,
		    int file, off_t offset)
{
	return mmap((void *)place, size, prot, flags | MAP_FIXED_NOREPLACE,
		    file, offset);
}

bool run_prepare(struct state *state)
{
	int structs = memfd_create("structs", MFD_CLOEXEC);
	unsigned int i;

	if (structs < 0 || ftruncate(structs, 2 * STRUCTS_SIZE))
		return false;
	for (i = 0; i < 2; i++) {
		unsigned long step = i * STRUCTS_STEP;
		off_t offset = i * STRUCTS_SIZE;

		threads[i] = (struct thread){ .state = state, .number = i };
		if (map_at(STRUCTS_AT + step, STRUCTS_SIZE,
			   PROT_READ | PROT_WRITE, MAP_SHARED, structs,
			   offset) == MAP_FAILED ||
		    map_at(READ_ONLY_AT + step, STRUCTS_SIZE, PROT_READ,
			   MAP_SHARED, structs, offset) == MAP_FAILED)
			return false;
	}
	close(structs);
	return map_at(WINDOW_AT, WINDOW_START, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

int out_of_reach(int file, int flags)
{
	int high;

	if (file < 0)
		return file;
	high = fcntl(file, flags & O_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD,
		     OUT_OF_REACH);
	close(file);
	return high;
}

static struct state *map_state(int file)
{
	return map_at(STATE_AT, sizeof(struct state), PROT_READ | PROT_WRITE,
		      MAP_SHARED, file, 0);
}

int state_create(struct state **state)
{
	int file = out_of_reach(memfd_create("state", 0), 0);

	if (file < 0 || ftruncate(file, sizeof(**state)))
		return -errno;
	*state = map_state(file);
	return *state == MAP_FAILED ? -errno : file;
}

int state_resume(int file)
{
	struct state *state = map_state(file);

	if (state == MAP_FAILED)
		return 1;
	state_file = file;
	traced = false;
	if (!run_prepare(state))
		return 1;
	open_fail(&threads[0]);
	execute(state->next, state->end);
	return 0;
}

pid_t run_start(struct state *state, int file)
{
	pid_t pid;

	memset(state->made, 0xff, sizeof(state->made));
	state->unplugged = false;
	pid = fork();
	if (pid)
		return pid;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	state_file = file;
	open_fail(&threads[0]);
	cover_begin(&threads[0]);
	execute(0, state->program.nr);
	_exit(0);
}

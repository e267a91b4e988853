// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every operation against every other, and against itself: two threads, each
 * doing one of them over and over to the same objects. Any result of a call is
 * right here, as what it meets changes all the time; wrong is what the kernel
 * log, the census and the objects say afterwards. race.c has fewer meetings,
 * with their results.
 *
 * RACE_MS in the environment says how long each pair lasts.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/exec.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/memory.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define SIZE	(64 * PAGE)
#define AT	0x10000000UL
#define DEFAULT_MS 2000
/*
 * The descriptor of the device file, at which nothing else is ever opened: a thread
 * may use it while the other one closes it.
 */
#define DEVICE	200

struct world {
	struct rig rig;
	int fd;
	uint32_t ioas;
	uint32_t other;
	int memfd;
	char *memory;
	atomic_bool stop;
};

/* What an operation wants of the device. */
enum device_use {
	ANY,		/* nothing */
	OPEN,		/* its file, bound */
	SHUT,		/* that file closed */
};

struct op {
	const char *name;
	enum device_use use;
	void (*step)(struct world *world, unsigned int turn);
};

/* Opens the device file again, and binds it. */
static int device_open(struct world *world)
{
	int device = pci_open_device_file(world->rig.name);
	int rc;

	if (device < 0)
		return device;
	rc = vfio_bind(device, world->fd, &world->rig.device_id);
	if (!rc && dup3(device, DEVICE, O_CLOEXEC) < 0)
		rc = -errno;
	close(device);
	return rc;
}

static bool device_is_open(void)
{
	return fcntl(DEVICE, F_GETFD) >= 0;
}

static void step_map(struct world *world, unsigned int turn)
{
	ioas_map_at(world->fd, turn & 8 ? world->other : world->ioas, MAP_RW,
		    world->memory + turn % 7 * PAGE, (1 + turn % 5) * PAGE,
		    AT + turn % 16 * 4 * PAGE);
}

static void step_unmap(struct world *world, unsigned int turn)
{
	if (turn % 4)
		ioas_unmap(world->fd, world->ioas, AT + turn % 16 * 4 * PAGE,
			   8 * PAGE, NULL);
	else
		ioas_unmap(world->fd, turn & 8 ? world->other : world->ioas, 0,
			   UINT64_MAX, NULL);
}

static void step_copy(struct world *world, unsigned int turn)
{
	uint64_t iova = AT + 0x100000 + turn % 16 * PAGE;

	ioas_copy(world->fd, MAP_RW | MAP_AT, world->other, &iova, world->ioas,
		  AT + turn % 16 * 4 * PAGE, PAGE);
}

static void step_map_file(struct world *world, unsigned int turn)
{
	uint64_t iova = 0;

	if (ioas_map_file(world->fd, world->ioas, MAP_RW, world->memfd,
			  turn % 8 * PAGE, 8 * PAGE, &iova))
		return;
	if (turn % 2)
		ioas_unmap(world->fd, world->ioas, iova, 8 * PAGE, NULL);
}

/* Changes the size of the file while it is mapped. */
static void step_truncate(struct world *world, unsigned int turn)
{
	if (ftruncate(world->memfd, turn % 2 * SIZE))
		return;
	fallocate(world->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		  4 * PAGE);
}

static void step_allow(struct world *world, unsigned int turn)
{
	struct iommu_iova_range ranges[8];
	uint64_t alignment;
	uint32_t count = 8;

	ranges[0] = (struct iommu_iova_range){ AT, AT + 0x1fffff };
	ioas_allow(world->fd, world->ioas, ranges, turn % 2);
	ioas_ranges(world->fd, world->ioas, ranges, &count, &alignment);
}

/* Objects that live for a moment only, under IDs that others may guess. */
static void step_objects(struct world *world, unsigned int turn)
{
	uint32_t id;

	if (ioas_alloc(world->fd, &id))
		return;
	ioas_map_at(world->fd, id, MAP_RW, world->memory, PAGE, AT);
	iommufd_destroy(world->fd, id);
}

/* Destroys whatever has an ID that an object of step_objects() may have. */
static void step_destroy(struct world *world, unsigned int turn)
{
	uint32_t id = world->other + 1 + turn % 4;

	iommufd_option_set(world->fd, IOMMU_OPTION_HUGE_PAGES, id, turn % 2);
	iommufd_destroy(world->fd, id);
}

static void step_change_process(struct world *world, unsigned int turn)
{
	pid_t child = fork();

	if (!child) {
		ioas_change_process(world->fd);
		_exit(0);
	}
	ioas_change_process(world->fd);
	if (child > 0)
		waitpid(child, NULL, 0);
}

/*
 * Makes the page this process's own, as a write would; which could be the end
 * of the process, as the page may be read-only by now.
 */
static void write_page(struct world *world, unsigned int turn)
{
	madvise(world->memory + turn % 64 * PAGE, PAGE, MADV_POPULATE_WRITE);
}

/* A process that shares the files and the memory for a moment. */
static void step_fork(struct world *world, unsigned int turn)
{
	pid_t child = fork();

	if (!child) {
		uint64_t iova = 0;

		write_page(world, turn);
		ioas_map(world->fd, world->ioas, MAP_RW, world->memory, PAGE,
			 &iova);
		if (turn % 2)
			ioas_unmap(world->fd, world->ioas, iova, PAGE, NULL);
		if (turn % 3 == 0)
			raise(SIGKILL);
		_exit(0);
	}
	write_page(world, turn);
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void *map_on(void *arg)
{
	struct world *world = arg;
	unsigned int turn = 0;

	for (;;) {
		step_map(world, turn);
		step_unmap(world, turn++);
	}
	return NULL;
}

/*
 * A process that has the files becomes another program, which keeps them or not. One
 * of its threads may be in the middle of a call then.
 */
static void step_exec(struct world *world, unsigned int turn)
{
	pid_t child = fork();
	pthread_t thread;

	if (!child) {
		if (turn % 2)
			pthread_create(&thread, NULL, map_on, world);
		if (turn % 3)
			fcntl(DEVICE, F_SETFD, 0);
		_exit(exec_and_unmap(world->fd, world->ioas, AT, SIZE));
	}
	if (child > 0 && turn % 4 == 3)
		kill(child, SIGKILL);
	if (child > 0)
		waitpid(child, NULL, 0);
}

/* Takes the memory away and puts other memory there. */
static void step_memory(struct world *world, unsigned int turn)
{
	if (turn % 2)
		madvise(world->memory, SIZE, MADV_DONTNEED);
	else
		mmap(world->memory + 16 * PAGE, 16 * PAGE,
		     PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	mprotect(world->memory + 8 * PAGE, PAGE,
		 turn % 4 ? PROT_READ | PROT_WRITE : PROT_READ);
}

static void step_describe(struct world *world, unsigned int turn)
{
	char text[4096];

	iommufd_describe(world->fd, text, sizeof(text));
}

static void step_attach(struct world *world, unsigned int turn)
{
	uint32_t pt = turn % 2 ? world->ioas : world->other;

	vfio_attach(DEVICE, &pt);
}

static void step_detach(struct world *world, unsigned int turn)
{
	vfio_detach(DEVICE);
}

static void step_hwpt(struct world *world, unsigned int turn)
{
	uint32_t hwpt, pt;

	if (hwpt_alloc(world->fd, 0, world->rig.device_id,
		       turn % 2 ? world->ioas : world->other, &hwpt))
		return;
	pt = hwpt;
	vfio_attach(DEVICE, &pt);
	iommufd_destroy(world->fd, hwpt);
	vfio_detach(DEVICE);
	iommufd_destroy(world->fd, hwpt);
}

static void step_reset(struct world *world, unsigned int turn)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	xioctl(DEVICE, turn % 2 ? VFIO_DEVICE_PCI_HOT_RESET :
	       VFIO_DEVICE_RESET, &reset);
}

/* Reads of the BAR while it may be zapped. */
static void step_bar(struct world *world, unsigned int turn)
{
	size_t size;
	void *bar = vfio_map_bar(DEVICE, 0, &size);

	if (!bar)
		return;
	(void)*(volatile uint32_t *)bar;
	munmap(bar, size);
}

/* The device by a file of its own, from opening to closing it. */
static void step_device(struct world *world, unsigned int turn)
{
	int device = pci_open_device_file(world->rig.name);
	uint32_t id, pt = turn % 3 ? world->ioas : world->other;

	if (device < 0)
		return;
	if (!vfio_bind(device, world->fd, &id) && turn % 4)
		vfio_attach(device, &pt);
	close(device);
}

static void step_group(struct world *world, unsigned int turn)
{
	int group = pci_open_group(world->rig.name);
	uint32_t ioas = world->ioas;
	int device;

	if (group < 0)
		return;
	vfio_ioas(world->fd, IOMMU_VFIO_IOAS_SET, &ioas);
	if (!xioctl(group, VFIO_GROUP_SET_CONTAINER, &world->fd)) {
		device = xioctl(group, VFIO_GROUP_GET_DEVICE_FD,
				world->rig.name);
		if (device >= 0)
			close(device);
		if (turn % 2)
			xioctl(group, VFIO_GROUP_UNSET_CONTAINER, NULL);
	}
	close(group);
}

static void step_unplug(struct world *world, unsigned int turn)
{
	pci_unbind_driver(world->rig.name);
	pci_bind_driver(world->rig.name, "vfio-pci");
}

/* A virtual machine that is told of the files, and dies. */
static void step_kvm(struct world *world, unsigned int turn)
{
	struct guest guest;

	if (guest_create(&guest))
		return;
	guest_add(&guest, world->fd);
	guest_add(&guest, DEVICE);
	if (turn % 2)
		guest_del(&guest, world->fd);
	if (turn % 3)
		guest_del(&guest, DEVICE);
	guest_destroy(&guest);
}

static const struct op ops[] = {
	{ "map", ANY, step_map },
	{ "unmap", ANY, step_unmap },
	{ "copy", ANY, step_copy },
	{ "map_file", ANY, step_map_file },
	{ "truncate", ANY, step_truncate },
	{ "allow", ANY, step_allow },
	{ "objects", ANY, step_objects },
	{ "destroy", ANY, step_destroy },
	{ "change_process", ANY, step_change_process },
	{ "fork", OPEN, step_fork },
	{ "exec", OPEN, step_exec },
	{ "memory", ANY, step_memory },
	{ "describe", ANY, step_describe },
	{ "kvm", OPEN, step_kvm },
	{ "attach", OPEN, step_attach },
	{ "detach", OPEN, step_detach },
	{ "hwpt", OPEN, step_hwpt },
	{ "reset", OPEN, step_reset },
	{ "bar", OPEN, step_bar },
	{ "device", SHUT, step_device },
	{ "group", SHUT, step_group },
	{ "unplug", SHUT, step_unplug },
};

#define NR_OPS	(sizeof(ops) / sizeof(ops[0]))

static int world_open(struct world *world, bool shut)
{
	int rc;

	memset(world, 0, sizeof(*world));
	rc = rig_find(&world->rig);
	if (rc)
		return rc;
	rc = rig_spaces(&world->rig, &world->ioas, &world->other);
	world->fd = world->rig.iommufd;
	if (!rc && !shut)
		rc = device_open(world);
	if (rc)
		return rc;
	world->memfd = memfd_create("races", MFD_CLOEXEC);
	if (world->memfd < 0 || ftruncate(world->memfd, SIZE))
		return -errno;
	world->memory = memory_anonymous(SIZE);
	return world->memory ? 0 : -errno;
}

static void world_close(struct world *world)
{
	close(DEVICE);
	rig_close(&world->rig);
	close(world->memfd);
	munmap(world->memory, SIZE);
}

struct worker {
	struct world *world;
	const struct op *op;
	/* One of the two wants the device file to be closed */
	bool shut;
	unsigned int turns;
};

/*
 * After so many turns a file that was opened meanwhile is closed: who waits for all of
 * the device's files to be closed, does not do it.
 */
#define OPEN_TURNS	8

static void *work(void *arg)
{
	struct worker *worker = arg;
	const enum device_use use = worker->op->use;

	do {
		if (use == OPEN && worker->shut && !device_is_open())
			device_open(worker->world);
		else if (use == SHUT)
			close(DEVICE);
		worker->op->step(worker->world, worker->turns++);
		if (use == OPEN && worker->shut &&
		    worker->turns % OPEN_TURNS == 0)
			close(DEVICE);
	} while (!atomic_load(&worker->world->stop));
	if (use == OPEN && worker->shut)
		close(DEVICE);
	return NULL;
}

static void rest(unsigned int ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* Runs both for a while; 0, or -errno when they could not be. */
static int meet(struct world *world, const struct op *first,
		const struct op *second, unsigned int ms)
{
	const bool shut = first->use == SHUT || second->use == SHUT;
	struct worker workers[] = {
		{ .world = world, .op = first, .shut = shut },
		{ .world = world, .op = second, .shut = shut, .turns = 1 },
	};
	pthread_t threads[2];
	int rc;

	rc = pthread_create(&threads[0], NULL, work, &workers[0]);
	if (rc)
		return -rc;
	rc = pthread_create(&threads[1], NULL, work, &workers[1]);
	if (!rc)
		rest(ms);
	atomic_store(&world->stop, true);
	pthread_join(threads[0], NULL);
	if (!rc)
		pthread_join(threads[1], NULL);
	return -rc;
}

/* After all that, what is there must still do its work. */
static int still_works(struct world *world)
{
	uint32_t pt = world->ioas;
	int rc;

	/* Only what the other may have set stands in the way. */
	rc = ioas_allow(world->fd, world->ioas, NULL, 0);
	if (!rc)
		rc = ioas_unmap(world->fd, world->ioas, 0, UINT64_MAX, NULL);
	if (!rc && !device_is_open())
		rc = device_open(world);
	if (!rc)
		rc = vfio_attach(DEVICE, &pt);
	if (!rc)
		rc = mprotect(world->memory, SIZE, PROT_READ | PROT_WRITE) ?
			-errno : 0;
	if (!rc)
		rc = ioas_map_at(world->fd, world->ioas, MAP_RW, world->memory,
				 SIZE, AT);
	if (!rc)
		rc = ioas_unmap(world->fd, world->ioas, AT, SIZE, NULL);
	return rc;
}

FIXTURE(races)
{
	struct world world;
	unsigned int ms;
};

FIXTURE_SETUP(races)
{
	const char *ms = getenv("RACE_MS");

	RIG_SETUP(rig_find, &self->world.rig);
	/* One of the operations would be none, and no call would tell. */
	ASSERT_EQ(NULL, guest_impossible());
	self->ms = ms ? atoi(ms) : DEFAULT_MS;
}

FIXTURE_TEARDOWN(races)
{
}

FIXTURE_VARIANT(races)
{
	const char *name;
};

#define FIRST(_name) FIXTURE_VARIANT_ADD(races, _name) { .name = #_name }

FIRST(map);
FIRST(unmap);
FIRST(copy);
FIRST(map_file);
FIRST(truncate);
FIRST(allow);
FIRST(objects);
FIRST(destroy);
FIRST(change_process);
FIRST(fork);
FIRST(exec);
FIRST(memory);
FIRST(describe);
FIRST(kvm);
FIRST(attach);
FIRST(detach);
FIRST(hwpt);
FIRST(reset);
FIRST(bar);
FIRST(device);
FIRST(group);
FIRST(unplug);

static int by_name(const char *name)
{
	int i;

	for (i = 0; i < (int)NR_OPS; i++)
		if (!strcmp(ops[i].name, name))
			return i;
	return -1;
}

TEST_F_TIMEOUT(races, with_each, 1200)
{
	int users = census_module_users("iommufd");
	struct world *world = &self->world;
	int first = by_name(variant->name);
	long pins = census_pins();
	char trouble[256];
	unsigned int second;
	int log;

	ASSERT_LE(0, first);
	log = klog_mark();
	ASSERT_LE(0, log);
	for (second = first; second < NR_OPS; second++) {
		bool shut = ops[first].use == SHUT || ops[second].use == SHUT;

		ASSERT_EQ(0, world_open(world, shut));
		ASSERT_EQ(0, meet(world, &ops[first], &ops[second], self->ms));
		EXPECT_EQ(0, still_works(world));
		world_close(world);
		EXPECT_TRUE(census_settles(pins));
		EXPECT_EQ(users, census_module_users("iommufd"));
		EXPECT_FALSE(klog_has_trouble(log, trouble, sizeof(trouble))) {
			TH_LOG("%s", trouble);
		}
		if (!_metadata->passed) {
			TH_LOG("%s with %s", ops[first].name, ops[second].name);
			break;
		}
	}
	close(log);
}

TEST_HARNESS_MAIN

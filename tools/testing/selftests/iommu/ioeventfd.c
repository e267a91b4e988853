// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_IOEVENTFD: an eventfd that writes to a register. vfio-pci-core takes an
 * offset with the top bit set for a BAR in front of the first one; it must never
 * get to see one, whatever other threads do to the argument. The stock modules are asked
 * by group for what works, and for other arguments that are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#include "kselftest_harness.h"
#include "lib/edu.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/meet.h"
#include "lib/memory.h"
#include "lib/pci.h"
#include "lib/reason.h"
#include "lib/skip.h"
#include "lib/type1.h"
#include "lib/vfio.h"
#include "lib/way.h"

#define PAGE	4096UL
#define MINSZ	offsetofend(struct vfio_device_ioeventfd, fd)
#define offsetofend(_type, _member) \
	(offsetof(_type, _member) + sizeof(((_type *)0)->_member))
/* edu keeps the complement of what is written to it */
#define LIVENESS	4
#define VALUE	0x12345678U
#define TOP	(1ULL << 63)
#define BAR(_nr)	((uint64_t)(_nr) << 40)
#define MS	500
#define TRIES	4000
/* How often two threads are let meet until one has seen what the other does */
#define MEETINGS	20

FIXTURE(ioeventfd)
{
	char name[PCI_NAME_LEN];
	struct way way;
	struct edu edu;
	int event;
	/* Shared by two threads */
	struct vfio_device_ioeventfd *arg;
	int memory;
	long seen;
	long written;
	int wrong;
};

FIXTURE_VARIANT(ioeventfd)
{
	enum way_kind kind;
};

FIXTURE_VARIANT_ADD(ioeventfd, group)
{
	.kind = WAY_GROUP,
};

FIXTURE_VARIANT_ADD(ioeventfd, device_file)
{
	.kind = WAY_DEVICE_FILE,
};

FIXTURE_SETUP(ioeventfd)
{
	memset(self, 0, sizeof(*self));
	self->way = (struct way){ .space = -1, .group = -1, .device = -1 };
	if (way_missing(variant->kind))
		SKIP(return, "%s", way_missing(variant->kind));
	EDU_SETUP(pci_find(EDU_VENDOR, EDU_DEVICE, 0, self->name));
	ASSERT_EQ(0, pci_bind_driver(self->name, "vfio-pci"));
	ASSERT_EQ(0, way_open(&self->way, variant->kind, self->name, NULL));
	ASSERT_EQ(0, edu_init(&self->edu, self->way.device));
	self->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ASSERT_GE(self->event, 0);
	self->arg = memory_anonymous(PAGE);
	ASSERT_NE(NULL, self->arg);
}

FIXTURE_TEARDOWN(ioeventfd)
{
	STOP_IF_SKIPPED();
	edu_fini(&self->edu);
	way_close(&self->way);
	close(self->event);
	EXPECT_EQ(0, pci_unbind_driver(self->name));
}

static int set(FIXTURE_DATA(ioeventfd) *self, uint64_t offset, int fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = offset,
		.data = VALUE,
		.fd = fd,
	};

	return xioctl(self->way.device, VFIO_DEVICE_IOEVENTFD, &arg);
}

static volatile uint32_t *liveness(FIXTURE_DATA(ioeventfd) *self)
{
	return (void *)((char *)self->edu.bar + LIVENESS);
}

static bool has_written(FIXTURE_DATA(ioeventfd) *self)
{
	int tries;

	*liveness(self) = 0;
	if (*liveness(self) != ~0U || eventfd_write(self->event, 1))
		return false;
	/* The driver may leave it to a thread */
	for (tries = 0; tries < 10; tries++) {
		if (*liveness(self) == ~VALUE)
			return true;
		usleep(10000);
	}
	return false;
}

/* An ioeventfd is added, writes, and is taken away. */
#define EXPECT_WORKS() do { \
	EXPECT_EQ(0, set(self, LIVENESS, self->event)); \
	EXPECT_TRUE(has_written(self)); \
	EXPECT_EQ(0, set(self, LIVENESS, -1)); \
	EXPECT_FALSE(has_written(self)); \
} while (0)

/* Of the argument's copy nothing may stay in the process. */
static bool has_copy(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		found |= !!strstr(line, "vfio-ioeventfd");
	if (maps)
		fclose(maps);
	return found;
}

TEST_F(ioeventfd, writes_to_the_device)
{
	STOP_IF_SKIPPED();
	EXPECT_WORKS();
	EXPECT_EQ(-ENODEV, set(self, LIVENESS, -1));
	EXPECT_EQ(0, set(self, LIVENESS, self->event));
	EXPECT_EQ(-EEXIST, set(self, LIVENESS, self->event));
	EXPECT_TRUE(has_written(self));
	EXPECT_EQ(0, set(self, LIVENESS, -1));
	EXPECT_FALSE(has_copy());
	/* One that is closed with the device */
	EXPECT_EQ(0, set(self, LIVENESS, self->event));
}

TEST_F(ioeventfd, bad_arguments)
{
	const struct vfio_device_ioeventfd good = {
		.argsz = MINSZ,
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = LIVENESS,
		.data = VALUE,
		.fd = self->event,
	};
	const unsigned long number = VFIO_DEVICE_IOEVENTFD;
	const uint32_t flags[] = { 0, 3, 5, 16, 20, ~0U };
	const uint64_t offsets[] = {
		self->edu.size, self->edu.size - 2, BAR(1), BAR(5), BAR(6),
		BAR(7), BAR(100), BAR(1) - 1, TOP - 1, TOP >> 1,
	};
	struct vfio_device_ioeventfd *arg = self->arg;
	int device = self->way.device;
	int other;
	size_t i;

	STOP_IF_SKIPPED();
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		EXPECT_EQ(-EINVAL, set(self, offsets[i], self->event));
		EXPECT_EQ(-EINVAL, set(self, offsets[i], -1));
	}
	*arg = good;
	arg->argsz = MINSZ - 1;
	EXPECT_EQ(-EINVAL, xioctl(device, number, arg));
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		*arg = good;
		arg->flags = flags[i];
		EXPECT_EQ(-EINVAL, xioctl(device, number, arg));
	}
	EXPECT_EQ(-EINVAL, set(self, LIVENESS, -2));
	EXPECT_EQ(-EBADF, set(self, LIVENESS, 999));
	other = open("/dev/null", O_RDWR | O_CLOEXEC);
	ASSERT_GE(other, 0);
	EXPECT_EQ(-EINVAL, set(self, LIVENESS, other));
	close(other);

	EXPECT_EQ(-EFAULT, xioctl(device, number, NULL));
	EXPECT_EQ(-EFAULT, xioctl(device, number, (void *)TOP));
	/* It ends with the last byte that is there, or one later */
	arg = memory_anonymous(2 * PAGE);
	ASSERT_NE(NULL, arg);
	ASSERT_EQ(0, munmap((char *)arg + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, xioctl(device, number, (char *)arg + PAGE));
	memcpy((char *)arg + PAGE - MINSZ, &good, MINSZ);
	EXPECT_EQ(0, xioctl(device, number, (char *)arg + PAGE - MINSZ));
	EXPECT_EQ(0, set(self, LIVENESS, -1));
	memcpy((char *)arg + PAGE - MINSZ + 1, &good, MINSZ - 1);
	EXPECT_EQ(-EFAULT, xioctl(device, number,
				  (char *)arg + PAGE - MINSZ + 1));
	/* It is read and not written */
	memcpy(arg, &good, sizeof(good));
	ASSERT_EQ(0, mprotect(arg, PAGE, PROT_READ));
	EXPECT_EQ(0, xioctl(device, number, arg));
	EXPECT_EQ(0, set(self, LIVENESS, -1));
	ASSERT_EQ(0, mprotect(arg, PAGE, PROT_NONE));
	EXPECT_EQ(-EFAULT, xioctl(device, number, arg));
	EXPECT_FALSE(has_copy());
	EXPECT_WORKS();
}

#define NOT_ON_STOCK() do { \
	STOP_IF_SKIPPED(); \
	if (type1_is_stock()) \
		SKIP(return, "the stock modules corrupt the kernel there"); \
} while (0)

#define EXPECT_CLEAN(_log) do { \
	int _mark = (_log); \
	char _line[256]; \
	EXPECT_FALSE(klog_has_trouble(_mark, _line, sizeof(_line))) { \
		TH_LOG("%s", _line); \
	} \
	close(_mark); \
} while (0)

TEST_F(ioeventfd, negative_offset)
{
	const uint64_t offsets[] = {
		-BAR(1), -BAR(1) + LIVENESS, -BAR(2) + LIVENESS, -BAR(9),
		-BAR(100) + 0x80, -1, -4, -8, TOP, TOP + LIVENESS,
		TOP | BAR(5), TOP | BAR(6),
	};
	int log = klog_mark();
	size_t i;

	NOT_ON_STOCK();
	ASSERT_GE(log, 0);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		EXPECT_EQ(-EINVAL, set(self, offsets[i], self->event)) {
			TH_LOG("offset 0x%llx", (long long)offsets[i]);
		}
		EXPECT_REASON(self->way.device, "VFIO_DEVICE_IOEVENTFD",
			      "-EINVAL", "the offset 0x%llx is in no BAR",
			      (long long)offsets[i]);
		EXPECT_EQ(-EINVAL, set(self, offsets[i], -1));
	}
	EXPECT_CLEAN(log);
	EXPECT_WORKS();
}

static void prepare(FIXTURE_DATA(ioeventfd) *self)
{
	*self->arg = (struct vfio_device_ioeventfd){
		.argsz = sizeof(*self->arg),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = LIVENESS,
		.data = VALUE,
		.fd = self->event,
	};
}

static void add_and_remove(void *data)
{
	FIXTURE_DATA(ioeventfd) *self = data;
	int rc;

	rc = xioctl(self->way.device, VFIO_DEVICE_IOEVENTFD, self->arg);
	if (rc && rc != -EINVAL && rc != -EEXIST && rc != -EFAULT)
		self->wrong = rc;
	/* The other may just do something to the mapping of this one, too */
	do {
		rc = set(self, LIVENESS, -1);
	} while (rc == -EFAULT);
	if (rc && rc != -ENODEV)
		self->wrong = rc;
}

/* An argument on two pages. The second, from @data on, is not there until it is read */
struct late {
	int faults;
	struct vfio_device_ioeventfd *arg;
	unsigned char *second;
	void *content;
	long rc;
};

/* The offset has been read, and is another one when the page comes. */
static void *change_then_go_on(void *data)
{
	struct late *late = data;
	struct uffdio_copy copy = {
		.dst = (uintptr_t)late->second,
		.src = (uintptr_t)late->content,
		.len = PAGE,
	};
	struct uffd_msg msg;

	late->rc = read(late->faults, &msg, sizeof(msg));
	late->arg->offset = -BAR(1) + LIVENESS;
	if (ioctl(late->faults, UFFDIO_COPY, &copy))
		late->rc = -errno;
	return NULL;
}

/* Another thread changes the argument after it was read for the first time. */
TEST_F(ioeventfd, changed_after_the_check)
{
	const struct vfio_device_ioeventfd good = {
		.argsz = sizeof(good),
		.flags = VFIO_DEVICE_IOEVENTFD_32,
		.offset = LIVENESS,
		.data = VALUE,
		.fd = self->event,
	};
	const size_t first = offsetof(struct vfio_device_ioeventfd, data);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range.len = PAGE,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int log = klog_mark();
	unsigned char *memory;
	struct late late;
	pthread_t thread;

	NOT_ON_STOCK();
	ASSERT_GE(log, 0);
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, memory);
	memcpy(self->arg, (char *)&good + first, sizeof(good) - first);
	late = (struct late){
		.faults = syscall(SYS_userfaultfd, O_CLOEXEC),
		.arg = (void *)(memory + PAGE - first),
		.second = memory + PAGE,
		.content = self->arg,
	};
	ASSERT_GE(late.faults, 0);
	memcpy(late.arg, &good, first);
	ASSERT_EQ(0, ioctl(late.faults, UFFDIO_API, &api));
	area.range.start = (uintptr_t)late.second;
	ASSERT_EQ(0, ioctl(late.faults, UFFDIO_REGISTER, &area));
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_then_go_on, &late));
	EXPECT_EQ(0, xioctl(self->way.device, VFIO_DEVICE_IOEVENTFD, late.arg));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(sizeof(struct uffd_msg), late.rc);
	EXPECT_EQ(-BAR(1) + LIVENESS, late.arg->offset);
	/* It is as it was when it was checked */
	EXPECT_TRUE(has_written(self));
	EXPECT_EQ(0, set(self, LIVENESS, -1));
	close(late.faults);
	EXPECT_CLEAN(log);
	EXPECT_WORKS();
}

static void flip(void *data)
{
	FIXTURE_DATA(ioeventfd) *self = data;
	volatile uint64_t *offset = (volatile uint64_t *)&self->arg->offset;
	int i;

	for (i = 0; i < 1000; i++)
		*offset = i & 1 ? LIVENESS : -BAR(1) + LIVENESS;
}

/* Another thread changes the argument between the check and the driver. */
TEST_F(ioeventfd, changed_meanwhile)
{
	int log = klog_mark();

	NOT_ON_STOCK();
	ASSERT_GE(log, 0);
	prepare(self);
	EXPECT_LE(11, meet(add_and_remove, flip, self, MS, 11));
	EXPECT_EQ(0, self->wrong);
	EXPECT_FALSE(has_copy());
	EXPECT_CLEAN(log);
	EXPECT_WORKS();
}

/* Where the next mapping of a page goes, and so most copies */
static void *guess_copy(void)
{
	void *at = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at != MAP_FAILED)
		munmap(at, PAGE);
	return at;
}

/* Writes to the copy, as a debugger does, and gives it other rights, until it was there */
static void write_to_copy(void *data)
{
	FIXTURE_DATA(ioeventfd) *self = data;
	const uint64_t bad = -BAR(1) + LIVENESS;
	void *at = NULL;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (i % 20 == 0)
			at = guess_copy();
		if (!mprotect(at, PAGE, PROT_READ | PROT_WRITE) ||
		    pwrite(self->memory, &bad, sizeof(bad), (uintptr_t)at +
			   offsetof(struct vfio_device_ioeventfd, offset)) > 0) {
			self->written++;
		} else if (!mprotect(at, PAGE, PROT_NONE) ||
			   !madvise(at, PAGE, MADV_DONTNEED)) {
			self->seen++;
			break;
		}
	}
}

/* Before a thread looks for the copy and does something to it: whether that can be */
static bool can_look(FIXTURE_DATA(ioeventfd) *self)
{
	self->memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	prepare(self);
	/* Memory for the threads must not be where the copy is looked for */
	return self->memory >= 0 && mallopt(M_ARENA_MAX, 1) == 1;
}

/*
 * @_attack meets calls of the other thread until it has seen the copy: by chance, and on a
 * busy host by less of it. All calls do what they should.
 */
#define EXPECT_HARMLESS(_attack, _log) do { \
	int _i; \
	for (_i = 0; _i < MEETINGS && !self->seen; _i++) \
		EXPECT_LE(4, meet(add_and_remove, _attack, self, MS, 4)); \
	EXPECT_EQ(0, self->wrong); \
	EXPECT_LT(0, self->seen); \
	EXPECT_FALSE(has_copy()); \
	EXPECT_CLEAN(_log); \
	EXPECT_WORKS(); \
} while (0)

TEST_F(ioeventfd, copy_is_not_writable)
{
	int log = klog_mark();

	NOT_ON_STOCK();
	ASSERT_GE(log, 0);
	ASSERT_TRUE(can_look(self));
	EXPECT_HARMLESS(write_to_copy, log);
	EXPECT_EQ(0, self->written);
}

/* Puts an argument of its own where the copy is, until it was there */
static void replace_copy(void *data)
{
	FIXTURE_DATA(ioeventfd) *self = data;
	void *at = NULL;
	int i;

	for (i = 0; i < TRIES; i++) {
		bool there;

		if (i % 20 == 0)
			at = guess_copy();
		there = !madvise(at, PAGE, MADV_DONTNEED);
		if (mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
			continue;
		/* By the kernel, as the other thread may unmap it */
		if (pwrite(self->memory, &self->arg[1], sizeof(self->arg[1]),
			   (uintptr_t)at) < 0)
			there = false;
		munmap(at, PAGE);
		if (there) {
			self->seen++;
			break;
		}
	}
}

TEST_F(ioeventfd, copy_is_replaced)
{
	int log = klog_mark();

	NOT_ON_STOCK();
	ASSERT_GE(log, 0);
	ASSERT_TRUE(can_look(self));
	self->arg[1] = self->arg[0];
	self->arg[1].offset = -BAR(1) + LIVENESS;
	EXPECT_HARMLESS(replace_copy, log);
}

TEST_F(ioeventfd, no_room_for_the_copy)
{
	struct rlimit none, space;

	NOT_ON_STOCK();
	ASSERT_EQ(0, getrlimit(RLIMIT_AS, &space));
	none = space;
	none.rlim_cur = 0;
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &none));
	EXPECT_EQ(-ENOMEM, set(self, LIVENESS, self->event));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &space));
	EXPECT_EQ(-ENODEV, set(self, LIVENESS, -1));
	EXPECT_WORKS();
	/* A process may ask for all of its memory to stay where it is */
	ASSERT_EQ(0, mlockall(MCL_FUTURE));
	EXPECT_WORKS();
	EXPECT_EQ(0, munlockall());
}

TEST_HARNESS_MAIN

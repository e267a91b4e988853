// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who may do what, and who pays: without permission on the nodes, without
 * CAP_IPC_LOCK, in a user namespace, with a file that somebody handed over, after a
 * change of user or of process. RLIMIT_MEMLOCK is exact to the page in each case.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/pass.h"
#include "lib/rig.h"
#include "lib/sysfs.h"
#include "lib/type1.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define KIB	4L		/* a page in the unit of /proc/PID/status */
#define PAGES	64
#define AT	0x10000000UL
#define NOBODY	65534
#define OTHER	12345

FIXTURE(isolation)
{
	struct rig rig;
	int fd;
	uint32_t ioas;
	unsigned char *memory;
	long pins;
};

FIXTURE_SETUP(isolation)
{
	RIG_SETUP(rig_open, &self->rig);
	self->fd = self->rig.iommufd;
	self->pins = census_pins();
	self->memory = memory_anonymous(PAGES * PAGE);
	ASSERT_NE(NULL, self->memory);
	memset(self->memory, 1, PAGES * PAGE);
}

FIXTURE_TEARDOWN(isolation)
{
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->pins));
}

/* The device attached, and pinned memory charged in that mode */
static int start(FIXTURE_DATA(isolation) *self, int mode)
{
	struct rig *rig = &self->rig;
	uint32_t pt;
	int rc;

	rc = iommufd_option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0, mode);
	if (!rc)
		rc = vfio_bind(rig->device, self->fd, &rig->device_id);
	if (!rc)
		rc = ioas_alloc(self->fd, &self->ioas);
	pt = self->ioas;
	return rc ?: vfio_attach(rig->device, &pt);
}

static int limit(unsigned long pages)
{
	struct rlimit memlock = { pages * PAGE, pages * PAGE };

	return setrlimit(RLIMIT_MEMLOCK, &memlock) ? -errno : 0;
}

/* For good */
static int become(uid_t uid)
{
	if (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	return 0;
}

/* Another user for the moment; root is in the saved user ID */
static int act_as(uid_t uid)
{
	if (setresuid(-1, 0, 0) || setresuid(uid, uid, 0))
		return -errno;
	return 0;
}

static int map(FIXTURE_DATA(isolation) *self, int index, int pages)
{
	return ioas_map_at(self->fd, self->ioas, MAP_RW,
			   self->memory + index * PAGE, pages * PAGE,
			   AT + index * PAGE);
}

static int unmap(FIXTURE_DATA(isolation) *self, int index, int pages)
{
	return ioas_unmap(self->fd, self->ioas, AT + index * PAGE,
			  pages * PAGE, NULL);
}

/*
 * How many pages one by one, from @index on, until there is another answer than 0.
 * They are unmapped again.
 */
static int room(FIXTURE_DATA(isolation) *self, int index, int *rc)
{
	int nr = 0;
	int i;

	while (index + nr < PAGES) {
		*rc = map(self, index + nr, 1);
		if (*rc)
			break;
		nr++;
	}
	for (i = 0; i < nr; i++)
		if (unmap(self, index + i, 1))
			return -1;
	return nr;
}

#define EXPECT_ROOM(_index, _pages) do { \
	int _rc = 0; \
	EXPECT_EQ(_pages, room(self, _index, &_rc)); \
	EXPECT_EQ(-ENOMEM, _rc); \
} while (0)

/* The status of a child: 0 when all went well */
#define EXPECT_CHILD(_pid) do { \
	int _status; \
	ASSERT_EQ(_pid, waitpid(_pid, &_status, 0)); \
	EXPECT_EQ(0, _status); \
} while (0)

/* A user who was given nothing opens nothing that leads to a device. */
TEST_F(isolation, nodes)
{
	struct rig *rig = &self->rig;
	uint32_t ioas;
	uint64_t iova = 0;
	int container;

	ASSERT_EQ(0, become(NOBODY));
	EXPECT_EQ(-EACCES, iommufd_open());
	EXPECT_EQ(-EACCES, pci_open_device_file(rig->name));
	EXPECT_EQ(-EACCES, pci_open_group(rig->name));

	/* The container's node is for everybody, and pins and reaches nothing. */
	container = container_open();
	ASSERT_GE(container, 0);
	EXPECT_EQ(-EINVAL, container_set_iommu(container, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, container_map(container, DMA_RW, self->memory, PAGE,
					 AT));
	ASSERT_EQ(0, ioas_alloc(container, &ioas));
	EXPECT_EQ(0, ioas_map(container, ioas, MAP_RW, self->memory,
			      PAGES * PAGE, &iova));
	EXPECT_EQ(0, census_pinned());
	EXPECT_EQ(0, census_locked());
	close(container);
}

/* By user: what may be pinned is RLIMIT_MEMLOCK, and not a page more or less. */
TEST_F(isolation, exact_by_user)
{
	ASSERT_EQ(0, start(self, 0));
	ASSERT_EQ(0, limit(10));
	ASSERT_EQ(0, become(NOBODY));
	EXPECT_ROOM(0, 10);
	/* In one piece, too. */
	EXPECT_EQ(-ENOMEM, map(self, 0, 11));
	EXPECT_EQ(0, census_pinned());
	EXPECT_EQ(0, map(self, 0, 10));
	EXPECT_EQ(10 * KIB, census_pinned());
	EXPECT_ROOM(10, 0);
	EXPECT_EQ(0, unmap(self, 0, 10));
	EXPECT_EQ(0, census_pinned());
	/* Memory that the process locked itself is another account. */
	ASSERT_EQ(0, mlock(self->memory, 4 * PAGE));
	EXPECT_ROOM(0, 10);
	/* Less than was pinned meanwhile: nothing more, and no harm. */
	EXPECT_EQ(0, map(self, 0, 10));
	ASSERT_EQ(0, limit(5));
	EXPECT_ROOM(10, 0);
	EXPECT_EQ(0, unmap(self, 0, 10));
	EXPECT_ROOM(0, 5);
}

/* By process: together with what it locked by mlock(). */
TEST_F(isolation, exact_by_process)
{
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, limit(10));
	ASSERT_EQ(0, become(NOBODY));
	EXPECT_ROOM(0, 10);
	ASSERT_EQ(0, mlock(self->memory, 3 * PAGE));
	EXPECT_EQ(3 * KIB, census_locked());
	EXPECT_ROOM(0, 7);
	EXPECT_EQ(0, map(self, 0, 7));
	EXPECT_EQ(10 * KIB, census_locked());
	EXPECT_EQ(7 * KIB, census_pinned());
	EXPECT_EQ(-1, mlock(self->memory + 20 * PAGE, PAGE));
	ASSERT_EQ(0, munlock(self->memory, 3 * PAGE));
	EXPECT_ROOM(7, 3);
	EXPECT_EQ(0, unmap(self, 0, 7));
	EXPECT_EQ(0, census_locked());
	EXPECT_EQ(0, census_pinned());
}

/* The mode is the administrator's, and for an empty file. */
TEST_F(isolation, mode)
{
	uint64_t mode = 7;

	ASSERT_EQ(0, start(self, 0));
	EXPECT_EQ(-EBUSY, iommufd_option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE,
					     0, 1));
	ASSERT_EQ(0, become(NOBODY));
	EXPECT_EQ(-EPERM, iommufd_option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE,
					     0, 1));
	EXPECT_EQ(0, iommufd_option_get(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0,
					&mode));
	EXPECT_EQ(0, mode);
}

static int set_capabilities(uint32_t capabilities)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {
		{ .effective = capabilities, .permitted = capabilities },
	};

	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* It is the capability that counts, not the user. */
TEST_F(isolation, cap_ipc_lock)
{
	pid_t pid;

	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, limit(2));
	/* As on mainline, one who has it is not counted in VmLck either. */
	EXPECT_EQ(0, map(self, 0, 20));
	EXPECT_EQ(0, census_locked());
	EXPECT_EQ(20 * KIB, census_pinned());
	EXPECT_EQ(0, unmap(self, 0, 20));

	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int rc = 0;

		if (prctl(PR_SET_KEEPCAPS, 1) || setresuid(NOBODY, NOBODY, NOBODY) ||
		    set_capabilities(1U << CAP_IPC_LOCK))
			_exit(1);
		_exit(map(self, 0, 20) || unmap(self, 0, 20) ? 2 : rc);
	}
	EXPECT_CHILD(pid);

	/* Root without it */
	ASSERT_EQ(0, set_capabilities(0));
	EXPECT_ROOM(0, 2);
	EXPECT_EQ(0, map(self, 0, 2));
	EXPECT_EQ(2 * KIB, census_locked());
	EXPECT_EQ(0, unmap(self, 0, 2));
}

/* Root of a user namespace is nobody here: the same nodes, account and limit. */
TEST_F(isolation, user_namespace)
{
	struct rlimit more = { 1UL << 30, 1UL << 30 };
	uint32_t pt;
	pid_t pid;

	ASSERT_EQ(0, start(self, 0));
	ASSERT_EQ(0, limit(10));
	ASSERT_EQ(0, become(NOBODY));
	/* A process that changed its user owns its /proc only once it says so */
	ASSERT_EQ(0, prctl(PR_SET_DUMPABLE, 1));
	EXPECT_EQ(0, map(self, 0, 4));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int rc;

		if (unshare(CLONE_NEWUSER) ||
		    sysfs_write("/proc/self/setgroups", "deny") ||
		    sysfs_write("/proc/self/uid_map", "0 65534 1") ||
		    sysfs_write("/proc/self/gid_map", "0 65534 1") ||
		    getuid() != 0)
			_exit(1);
		if (iommufd_open() != -EACCES ||
		    pci_open_device_file(self->rig.name) != -EACCES)
			_exit(2);
		if (!setrlimit(RLIMIT_MEMLOCK, &more))
			_exit(3);
		if (iommufd_option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0,
				       1) != -EPERM)
			_exit(4);
		if (room(self, 10, &rc) != 6 || rc != -ENOMEM)
			_exit(5);
		_exit(map(self, 10, 6) ? 6 : 0);
	}
	EXPECT_CHILD(pid);
	/* What the namespace's root pinned is on the account of who made it. */
	EXPECT_ROOM(30, 0);
	EXPECT_EQ(0, unmap(self, 10, 6));
	EXPECT_ROOM(30, 6);
	pt = self->ioas;
	EXPECT_EQ(0, vfio_attach(self->rig.device, &pt));
}

/*
 * Who is handed the files may use them: his memory, charged to him, by his limit.
 * The one who opened them is not asked, and not charged.
 */
TEST_F(isolation, handed_over)
{
	int sockets[2], fds[2];
	pid_t pid;

	ASSERT_EQ(0, start(self, 0));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int rc;

		/* Not the descriptors that fork left here */
		if (close(self->fd) || close(self->rig.device) ||
		    limit(3) || become(NOBODY) ||
		    pass_receive(sockets[1], fds, 2))
			_exit(1);
		self->fd = fds[0];
		if (room(self, 30, &rc) != 3 || rc != -ENOMEM)
			_exit(2);
		if (map(self, 30, 3) || census_pinned() != 3 * KIB)
			_exit(3);
		/* And with root's mapping he may do as he likes: it is one IOAS. */
		if (unmap(self, 0, 20) || census_pinned() != 3 * KIB)
			_exit(4);
		_exit(0);
	}
	EXPECT_EQ(0, map(self, 0, 20));
	EXPECT_EQ(20 * KIB, census_pinned());
	fds[0] = self->fd;
	fds[1] = self->rig.device;
	ASSERT_EQ(0, pass_files(sockets[0], fds, 2));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, census_pinned());
	/* His account outlives him while the file has his memory. */
	EXPECT_TRUE(census_settles(self->pins + 3));
	ASSERT_EQ(0, limit(3));
	ASSERT_EQ(0, become(NOBODY));
	EXPECT_ROOM(50, 0);
	EXPECT_EQ(0, unmap(self, 30, 3));
	EXPECT_ROOM(50, 3);
}

/* What a user mapped stays on his account when the process becomes another. */
TEST_F(isolation, change_of_user)
{
	ASSERT_EQ(0, start(self, 0));
	ASSERT_EQ(0, limit(4));
	ASSERT_EQ(0, act_as(NOBODY));
	EXPECT_EQ(0, map(self, 0, 3));
	ASSERT_EQ(0, act_as(OTHER));
	EXPECT_ROOM(10, 4);
	EXPECT_EQ(0, map(self, 10, 4));
	ASSERT_EQ(0, act_as(NOBODY));
	EXPECT_ROOM(20, 1);
	/* Whoever unmaps, it goes back to who paid. */
	EXPECT_EQ(0, unmap(self, 10, 4));
	EXPECT_ROOM(20, 1);
	ASSERT_EQ(0, act_as(OTHER));
	EXPECT_EQ(0, unmap(self, 0, 3));
	EXPECT_ROOM(20, 4);
	ASSERT_EQ(0, act_as(NOBODY));
	EXPECT_ROOM(20, 4);
}

/* By process, a child has an account of its own, and the parent keeps his. */
TEST_F(isolation, fork)
{
	pid_t pid;

	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, limit(4));
	ASSERT_EQ(0, become(NOBODY));
	EXPECT_EQ(0, map(self, 0, 3));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int rc;

		if (census_locked() || census_pinned())
			_exit(1);
		if (room(self, 10, &rc) != 4 || rc != -ENOMEM)
			_exit(2);
		if (map(self, 10, 2) || census_locked() != 2 * KIB)
			_exit(3);
		/* The parent's mapping, from here: given back to the parent */
		if (unmap(self, 0, 3) || census_locked() != 2 * KIB)
			_exit(4);
		_exit(0);
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, census_locked());
	EXPECT_EQ(0, unmap(self, 10, 2));
	EXPECT_EQ(0, census_locked());
	EXPECT_EQ(0, census_pinned());
	EXPECT_ROOM(0, 4);
}

/* CHANGE_PROCESS by process: all of the charge goes over, or none. */
TEST_F(isolation, change_process)
{
	int memfd = memfd_create("isolation", MFD_CLOEXEC);
	uint64_t iova = AT;
	pid_t pid;

	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, 4 * PAGE));
	ASSERT_EQ(0, start(self, 1));
	ASSERT_EQ(0, limit(4));
	ASSERT_EQ(0, become(NOBODY));
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT, memfd,
				   0, 4 * PAGE, &iova));
	EXPECT_EQ(4 * KIB, census_locked());
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		/* A page of its own is one too many. */
		if (mlock(self->memory, PAGE) ||
		    ioas_change_process(self->fd) != -ENOMEM ||
		    census_locked() != KIB)
			_exit(1);
		if (munlock(self->memory, PAGE) ||
		    ioas_change_process(self->fd) ||
		    census_locked() != 4 * KIB || census_pinned() != 4 * KIB)
			_exit(2);
		_exit(0);
	}
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, census_locked());
	EXPECT_EQ(0, census_pinned());
	EXPECT_ROOM(10, 4);
	/* Memory of a process cannot go over. */
	EXPECT_EQ(0, map(self, 10, 1));
	EXPECT_EQ(-EINVAL, ioas_change_process(self->fd));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, 0, UINT64_MAX, NULL));
	close(memfd);
}

/* Who takes over a file from one that nothing is charged does not take over that. */
TEST_F(isolation, rights_stay_behind)
{
	int memfd = memfd_create("isolation", MFD_CLOEXEC);
	uint64_t iova = AT;
	pid_t pid;

	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, PAGE));
	ASSERT_EQ(0, start(self, 0));
	ASSERT_EQ(0, limit(4));
	ASSERT_EQ(0, ioas_map_file(self->fd, self->ioas, MAP_RW | MAP_AT, memfd,
				   0, PAGE, &iova));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		int rc;

		if (become(NOBODY) || ioas_change_process(self->fd))
			_exit(1);
		if (room(self, 10, &rc) != 4 || rc != -ENOMEM)
			_exit(2);
		/* That of the former goes over as it is. */
		_exit(census_pinned() == KIB ? 0 : 3);
	}
	EXPECT_CHILD(pid);
	/* And the other way round */
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid)
		_exit(become(NOBODY) || map(self, 10, 1) || unmap(self, 10, 1));
	EXPECT_CHILD(pid);
	EXPECT_EQ(0, ioas_change_process(self->fd));
	EXPECT_EQ(0, map(self, 10, 20));
	EXPECT_EQ(0, unmap(self, 10, 20));
	EXPECT_EQ(0, unmap(self, 0, 1));
	close(memfd);
}

/* The mode counts for all that is mapped after it was chosen. */
TEST_F(isolation, mode_of_the_next)
{
	ASSERT_EQ(0, set_capabilities(1U << CAP_SYS_RESOURCE |
				      1U << CAP_SYS_ADMIN));
	ASSERT_EQ(0, ioas_alloc(self->fd, &self->ioas));
	ASSERT_EQ(0, map(self, 0, 1));
	ASSERT_EQ(0, iommufd_destroy(self->fd, self->ioas));
	ASSERT_EQ(0, start(self, 1));
	EXPECT_EQ(0, map(self, 0, 2));
	EXPECT_EQ(2 * KIB, census_locked());
	EXPECT_EQ(0, unmap(self, 0, 2));
	EXPECT_EQ(0, census_locked());
}

/* VFIO's calls charge the process, exactly, whoever undoes what it did. */
TEST(type1)
{
	unsigned char *memory = memory_anonymous(PAGES * PAGE);
	long pins = census_pins();
	struct type1 t;
	uint64_t size;
	int told[2], done[2];
	char byte;
	pid_t pid;

	ASSERT_NE(NULL, memory);
	EDU_SETUP(type1_set(&t, VFIO_TYPE1v2_IOMMU));
	ASSERT_EQ(0, pipe(told));
	ASSERT_EQ(0, pipe(done));
	ASSERT_EQ(0, limit(8));
	ASSERT_EQ(0, become(NOBODY));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		if (mlock(memory, 2 * PAGE) ||
		    container_map(t.container, DMA_RW, memory, 7 * PAGE,
				  AT) != -ENOMEM ||
		    census_locked() != 2 * KIB)
			_exit(1);
		if (container_map(t.container, DMA_RW, memory, 6 * PAGE, AT) ||
		    census_locked() != 8 * KIB)
			_exit(2);
		if (write(done[1], "", 1) != 1 || read(told[0], &byte, 1) != 1)
			_exit(3);
		_exit(census_locked() == 2 * KIB ? 0 : 4);
	}
	ASSERT_EQ(1, read(done[0], &byte, 1));
	EXPECT_EQ(0, census_locked());
	size = 6 * PAGE;
	EXPECT_EQ(0, container_unmap(t.container, 0, AT, &size));
	EXPECT_EQ(6 * PAGE, size);
	EXPECT_EQ(0, census_locked());
	ASSERT_EQ(1, write(told[1], "", 1));
	EXPECT_CHILD(pid);
	type1_close(&t);
	EXPECT_TRUE(census_settles(pins));
}

TEST_HARNESS_MAIN

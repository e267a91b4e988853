// SPDX-License-Identifier: GPL-2.0-only
/*
 * A call that is refused leaves one line with the reason and the numbers in its file's
 * fdinfo, and in the trace; and the trace tells what was mapped and attached.
 *
 * That each call which fails leaves a line is checked in all tests, by lib/reason.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/pci.h"
#include "lib/probe.h"
#include "lib/reason.h"
#include "lib/rig.h"
#include "lib/skip.h"
#include "lib/vfio.h"

#define NOBODY	65534
#define PAGE	4096UL
#define AT	0x10000000UL
/* Of every x86 machine: where interrupts go */
#define MSI	0xfee00000UL

FIXTURE(file)
{
	int fd;
	uint32_t ioas;
	char *memory;
};

FIXTURE_SETUP(file)
{
	self->fd = iommufd_open();
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ioas_alloc(self->fd, &self->ioas));
	self->memory = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
}

FIXTURE_TEARDOWN(file)
{
	close(self->fd);
}

TEST_F(file, one_line_for_each_call_that_fails)
{
	struct reason reason;
	int other = iommufd_open();

	ASSERT_LE(0, other);
	ASSERT_EQ(0, reason_of(self->fd, &reason));
	EXPECT_EQ(0, reason.nr);

	EXPECT_EQ(-ENOENT, iommufd_destroy(self->fd, 77));
	EXPECT_REASON(self->fd, "IOMMU_DESTROY", "-ENOENT",
		      "no object has the ID 77");
	EXPECT_EQ(-ENOENT, ioas_unmap(self->fd, self->ioas, AT, PAGE, NULL));
	ASSERT_EQ(0, reason_of(self->fd, &reason));
	EXPECT_EQ(2, reason.nr);
	EXPECT_REASON(self->fd, "IOMMU_IOAS_UNMAP", "-ENOENT",
		      "nothing is mapped from 0x%lx to 0x%lx", AT,
		      AT + PAGE - 1);

	/* One that succeeds takes nothing away, and other files have their own */
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW, self->memory,
				 PAGE, AT));
	ASSERT_EQ(0, reason_of(self->fd, &reason));
	EXPECT_EQ(2, reason.nr);
	EXPECT_STREQ("IOMMU_IOAS_UNMAP", reason.call);
	ASSERT_EQ(0, reason_of(other, &reason));
	EXPECT_EQ(0, reason.nr);
	close(other);
	EXPECT_EQ(2, reasons_checked());
}

TEST_F(file, numbers_that_are_no_ioctl)
{
	EXPECT_EQ(-ENOTTY, xioctl(self->fd, 0x3bff, NULL));
	EXPECT_REASON(self->fd, "0x3bff", "-ENOTTY", "no ioctl of this file");
	EXPECT_EQ(-ENOTTY, xioctl(self->fd, TCGETS, self->memory));
	EXPECT_REASON(self->fd, "0x5401", "-ENOTTY", "no ioctl of this file");
}

TEST_F(file, arguments)
{
	struct iommu_ioas_alloc alloc = { .size = 8 };
	struct {
		struct iommu_ioas_alloc arg;
		char more[4];
	} longer = { .arg.size = sizeof(longer), .more = "x" };
	uint64_t iova = AT;

	EXPECT_EQ(-EINVAL, xioctl(self->fd, IOMMU_IOAS_ALLOC, &alloc));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_ALLOC", "-EINVAL",
		      "the argument has 8 bytes, and needs at least 12");
	EXPECT_EQ(-E2BIG, xioctl(self->fd, IOMMU_IOAS_ALLOC, &longer));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_ALLOC", "-E2BIG",
		      "the argument has 16 bytes, and of those beyond the 12 known some are not 0");
	EXPECT_EQ(-EFAULT, xioctl(self->fd, IOMMU_IOAS_ALLOC, NULL));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_ALLOC", "-EFAULT",
		      "the argument cannot be read");
	EXPECT_EQ(-EOPNOTSUPP, ioas_map(self->fd, self->ioas, MAP_RW | 0x80,
					self->memory, PAGE, &iova));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_MAP", "-EOPNOTSUPP",
		      "flags 0x86 have bits that are not known, or a reserved field is not 0");
	EXPECT_EQ(-EINVAL, ioas_map(self->fd, self->ioas, 0, self->memory,
				    PAGE, &iova));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_MAP", "-EINVAL",
		      "neither readable nor writeable is asked for");
}

TEST_F(file, mappings_in_the_way)
{
	struct iommu_iova_range range = { .start = AT, .last = AT + 9 };
	uint64_t iova = 0x20000000, alignment;
	uint32_t other, count = 0;

	ASSERT_EQ(0, ioas_alloc(self->fd, &other));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_READ, self->memory,
				 2 * PAGE, AT));

	EXPECT_EQ(-EEXIST, ioas_map_at(self->fd, self->ioas, MAP_RW,
				       self->memory, 4 * PAGE, AT - PAGE));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_MAP", "-EEXIST",
		      "0xffff000 to 0x10002fff overlaps the mapping from 0x10000000 to 0x10001fff");
	EXPECT_EQ(-ENOENT, ioas_unmap(self->fd, self->ioas, AT, PAGE, NULL));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_UNMAP", "-ENOENT",
		      "0x10000000 to 0x10000fff has only a part of the mapping from 0x10000000 to 0x10001fff");
	EXPECT_EQ(-ENOENT, ioas_copy(self->fd, MAP_AT | MAP_READ, other, &iova,
				     self->ioas, AT, 4 * PAGE));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_COPY", "-ENOENT",
		      "nothing is mapped at 0x10002000 of the source");
	EXPECT_EQ(-EPERM, ioas_copy(self->fd, MAP_AT | MAP_RW, other, &iova,
				    self->ioas, AT, PAGE));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_COPY", "-EPERM",
		      "the source's mapping from 0x10000000 to 0x10001fff was not made writeable");
	EXPECT_EQ(-EMSGSIZE, ioas_ranges(self->fd, other, &range, &count,
					 &alignment));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_IOVA_RANGES", "-EMSGSIZE",
		      "there are 1 ranges, and there is room for 0");
	ASSERT_EQ(0, ioas_allow(self->fd, other, &range, 1));
	EXPECT_EQ(-ENOSPC, ioas_map(self->fd, other, MAP_RW, self->memory,
				    4 * PAGE, &iova));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_MAP", "-ENOSPC",
		      "no gap of 0x4000 bytes, aligned to 0x4000, is left in what may be mapped");
}

TEST_F(file, files_that_cannot_be_mapped)
{
	int pipes[2], memfd = memfd_create("refusals", MFD_CLOEXEC);
	uint64_t iova;

	ASSERT_LE(0, memfd);
	ASSERT_EQ(0, ftruncate(memfd, PAGE));
	ASSERT_EQ(0, pipe(pipes));
	EXPECT_EQ(-EBADF, ioas_map_file(self->fd, self->ioas, MAP_RW, 999, 0,
					PAGE, &iova));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_MAP_FILE", "-EBADF",
		      "no file is open at descriptor 999");
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW, pipes[0],
					 0, PAGE, &iova));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_MAP_FILE", "-EINVAL",
		      "the file is neither a memfd nor on tmpfs or hugetlbfs");
	EXPECT_EQ(-EINVAL, ioas_map_file(self->fd, self->ioas, MAP_RW, memfd,
					 PAGE, 2 * PAGE, &iova));
	EXPECT_REASON(self->fd, "IOMMU_IOAS_MAP_FILE", "-EINVAL",
		      "the file has 4096 bytes, and offset 0x1000 with 0x2 pages is asked for");
	close(pipes[0]);
	close(pipes[1]);
	close(memfd);
}

/* /dev/vfio/vfio is anybody's; what it lacks is a group. */
TEST(container)
{
	int fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, xioctl(fd, VFIO_SET_IOMMU,
				  (void *)VFIO_TYPE1v2_IOMMU));
	EXPECT_REASON(fd, "VFIO_SET_IOMMU", "-EINVAL",
		      "no group is in the container");
	EXPECT_EQ(-EINVAL, xioctl(fd, VFIO_IOMMU_GET_INFO, NULL));
	EXPECT_REASON(fd, "VFIO_IOMMU_GET_INFO", "-EINVAL",
		      "VFIO_SET_IOMMU has not been called on the container");
	close(fd);
}

FIXTURE(device)
{
	struct rig rig;
	char *memory;
	uint32_t pt;
};

FIXTURE_SETUP(device)
{
	RIG_SETUP(rig_bind, &self->rig);
	STOP_IF_SKIPPED();
	self->memory = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->memory);
	self->pt = self->rig.ioas;
}

FIXTURE_TEARDOWN(device)
{
	STOP_IF_SKIPPED();
	EXPECT_EQ(0, rig_close(&self->rig));
}

TEST_F(device, objects_and_who_uses_them)
{
	int fd = self->rig.iommufd;
	uint32_t hwpt, ioas = self->rig.ioas, id = self->rig.device_id;

	EXPECT_EQ(-ENOENT, ioas_map_at(fd, id, MAP_RW, self->memory, PAGE, AT));
	EXPECT_REASON(fd, "IOMMU_IOAS_MAP", "-ENOENT",
		      "the ID %u is of type DEVICE, not IOAS", id);
	EXPECT_EQ(-EBUSY, iommufd_destroy(fd, id));
	EXPECT_REASON(fd, "IOMMU_DESTROY", "-EBUSY",
		      "DEVICE %u lasts as long as its device file is bound", id);
	ASSERT_EQ(0, hwpt_alloc(fd, 0, id, ioas, &hwpt));
	EXPECT_EQ(-EBUSY, iommufd_destroy(fd, ioas));
	EXPECT_REASON(fd, "IOMMU_DESTROY", "-EBUSY",
		      "IOAS %u is in use: 1 HWPTs and accesses", ioas);
	self->pt = hwpt;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &self->pt));
	EXPECT_EQ(-EBUSY, iommufd_destroy(fd, hwpt));
	EXPECT_REASON(fd, "IOMMU_DESTROY", "-EBUSY",
		      "HWPT %u is in use: 1 groups are attached", hwpt);
	self->pt = id;
	EXPECT_EQ(-EINVAL, vfio_attach(self->rig.device, &self->pt));
	EXPECT_REASON(self->rig.device, "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
		      "-EINVAL", "the ID %u is of type DEVICE, not IOAS or HWPT",
		      id);
}

TEST_F(device, what_the_device_reserves)
{
	int fd = self->rig.iommufd;

	ASSERT_EQ(0, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				 2 * PAGE, MSI - PAGE));
	EXPECT_EQ(-EADDRINUSE, vfio_attach(self->rig.device, &self->pt));
	EXPECT_REASON(self->rig.device, "VFIO_DEVICE_ATTACH_IOMMUFD_PT",
		      "-EADDRINUSE",
		      "the device or its IOMMU reserves 0xfee00000 to 0xfeefffff, and 0xfedff000 to 0xfee00fff is mapped");
	ASSERT_EQ(0, ioas_unmap(fd, self->rig.ioas, MSI - PAGE, 2 * PAGE,
				NULL));
	ASSERT_EQ(0, vfio_attach(self->rig.device, &self->pt));
	EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				       2 * PAGE, MSI - PAGE));
	EXPECT_REASON(fd, "IOMMU_IOAS_MAP", "-EINVAL",
		      "0xfedff000 to 0xfee00fff overlaps 0xfee00000 to 0xfeefffff, which an attached device or its IOMMU reserves");
	EXPECT_EQ(-EINVAL, ioas_map_at(fd, self->rig.ioas, MAP_RW, self->memory,
				       PAGE, AT + 8));
	EXPECT_REASON(fd, "IOMMU_IOAS_MAP", "-EINVAL",
		      "the IOVA 0x10000008 is not aligned to 0x1000");
}

TEST_F(device, who_has_the_device)
{
	int group, second = pci_open_device_file(self->rig.name);
	int number = pci_group(self->rig.name);
	uint32_t id;

	ASSERT_LE(0, second);
	EXPECT_EQ(-EINVAL, vfio_bind(self->rig.device, self->rig.iommufd, &id));
	EXPECT_REASON(self->rig.device, "VFIO_DEVICE_BIND_IOMMUFD", "-EINVAL",
		      "the device file is bound already");
	EXPECT_EQ(-EINVAL, vfio_bind(second, self->rig.iommufd, &id));
	EXPECT_REASON(second, "VFIO_DEVICE_BIND_IOMMUFD", "-EINVAL",
		      "the device is bound by another open of its device file");
	EXPECT_EQ(-EBUSY, pci_open_group(self->rig.name));

	/* And the other way round */
	ASSERT_EQ(0, rig_close(&self->rig));
	self->rig.iommufd = iommufd_open();
	group = pci_open_group(self->rig.name);
	ASSERT_LE(0, group);
	EXPECT_EQ(-EBUSY, vfio_bind(second, self->rig.iommufd, &id));
	EXPECT_REASON(second, "VFIO_DEVICE_BIND_IOMMUFD", "-EBUSY",
		      "the group %d is open, by itself or by a device of it",
		      number);
	EXPECT_EQ(-EBADF, xioctl(group, VFIO_GROUP_SET_CONTAINER,
				 &(int){ 999 }));
	EXPECT_REASON(group, "VFIO_GROUP_SET_CONTAINER", "-EBADF",
		      "no file is open at descriptor 999");
	EXPECT_EQ(-EINVAL, xioctl(group, VFIO_GROUP_UNSET_CONTAINER, NULL));
	EXPECT_REASON(group, "VFIO_GROUP_UNSET_CONTAINER", "-EINVAL",
		      "the group has no container");
	EXPECT_EQ(-ENODEV, xioctl(group, VFIO_GROUP_GET_DEVICE_FD, "bad\n"));
	EXPECT_REASON(group, "VFIO_GROUP_GET_DEVICE_FD", "-ENODEV",
		      "no device of group %d has that name", number);
	close(group);
	close(second);
}

TEST_F(device, a_file_that_is_not_bound)
{
	int second = pci_open_device_file(self->rig.name);
	char byte;

	ASSERT_LE(0, second);
	EXPECT_EQ(-EINVAL, vfio_detach(second));
	EXPECT_REASON(second, "VFIO_DEVICE_DETACH_IOMMUFD_PT", "-EINVAL",
		      "the device file is not bound to a /dev/iommu");
	EXPECT_EQ(-1, pread(second, &byte, 1, 0));
	EXPECT_REASON(second, "read", "-EINVAL",
		      "the device file is not bound to a /dev/iommu");
	EXPECT_EQ(-1, pwrite(second, &byte, 1, 0));
	EXPECT_REASON(second, "write", "-EINVAL",
		      "the device file is not bound to a /dev/iommu");
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, second,
				   0));
	EXPECT_REASON(second, "mmap", "-EINVAL",
		      "the device file is not bound to a /dev/iommu");
	close(second);
}

TEST_F(device, what_the_driver_refuses)
{
	EXPECT_EQ(-ENOTTY, xioctl(self->rig.device, 0x3bff, NULL));
	EXPECT_REASON(self->rig.device, "0x3bff", "-ENOTTY",
		      "the driver vfio-pci does not know the ioctl");
	/* vfio-pci has not so many regions */
	EXPECT_EQ(-1, pread(self->rig.device, &(char){ 0 }, 1, 63UL << 40));
	EXPECT_REASON(self->rig.device, "read", "-EINVAL",
		      "refused by the driver vfio-pci");
}

/* Nobody has 64 KiB, none of them in use, and asks for 128 KiB. */
static int limited(struct rig *rig, char *memory, char *text, size_t size)
{
	struct rlimit limit = { .rlim_cur = 65536, .rlim_max = 65536 };
	struct reason reason;
	int rc;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setuid(NOBODY))
		return -errno;
	/* fdinfo is for those who may trace */
	prctl(PR_SET_DUMPABLE, 1);
	rc = ioas_map_at(rig->iommufd, rig->ioas, MAP_RW, memory, 32 * PAGE,
			 AT);
	if (reason_of(rig->iommufd, &reason))
		return -EPROTO;
	snprintf(text, size, "%s %s", reason.call, reason.text);
	return rc;
}

TEST_F(device, how_far_over_which_limit)
{
	char *told = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char expected[256];
	int status;
	pid_t child;

	ASSERT_NE(MAP_FAILED, told);
	ASSERT_EQ(0, vfio_attach(self->rig.device, &self->pt));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(-limited(&self->rig, self->memory, told, PAGE));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFEXITED(status));
	EXPECT_EQ(ENOMEM, WEXITSTATUS(status));
	snprintf(expected, sizeof(expected),
		 "IOMMU_IOAS_MAP 64 KiB over RLIMIT_MEMLOCK of process %d: limit 64 KiB, its user has 0 KiB locked, 128 KiB are to be pinned",
		 child);
	EXPECT_STREQ(expected, told);
}

TEST_F(device, memory_that_cannot_be_pinned)
{
	ASSERT_EQ(0, vfio_attach(self->rig.device, &self->pt));
	ASSERT_EQ(0, munmap(self->memory + PAGE, PAGE));
	EXPECT_EQ(-EFAULT, ioas_map_at(self->rig.iommufd, self->rig.ioas,
				       MAP_RW, self->memory, 3 * PAGE, AT));
	EXPECT_REASON(self->rig.iommufd, "IOMMU_IOAS_MAP", "-EFAULT",
		      "the memory at 0x%lx, of 0x3 pages, can neither be pinned for writing, nor is it a BAR of a VFIO device",
		      (unsigned long)self->memory);
}

TEST_F(device, the_trace_of_a_refusal)
{
	int at = 0;

	ASSERT_EQ(0, trace_start("iommufd/iommufd_refusal"));
	EXPECT_EQ(-ENOENT, iommufd_destroy(self->rig.iommufd, 77));
	EXPECT_EQ(-ENOENT, ioas_unmap(self->rig.iommufd, self->rig.ioas, AT,
				      PAGE, NULL));
	ASSERT_EQ(0, trace_stop("iommufd/iommufd_refusal"));
	EXPECT_EVENT(&at, "iommufd_refusal",
		     "call=IOMMU_DESTROY cmd=0x3b80 error=-2 reason=no object has the ID 77");
	EXPECT_EVENT(&at, "iommufd_refusal",
		     "call=IOMMU_IOAS_UNMAP cmd=0x3b86 error=-2 reason=nothing is mapped from 0x10000000 to 0x10000fff");
	EXPECT_EVENT(&at, "iommufd_refusal", "no such event");
}

/* Opens a node with the number @more behind that of @path, which nothing has. */
static int open_unused(const char *path, unsigned int more)
{
	const char *node = "/tmp/refusals-unused";
	struct stat st;
	int fd, rc;

	unlink(node);
	if (stat(path, &st) ||
	    mknod(node, S_IFCHR | 0600,
		  makedev(major(st.st_rdev), minor(st.st_rdev) + more)))
		return -EPROTO;
	fd = open(node, O_RDWR | O_CLOEXEC);
	rc = fd < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	unlink(node);
	return rc;
}

/* A file that cannot be opened has its reason in the trace alone. */
TEST_F(device, the_trace_of_opens)
{
	char group[64], file[64], path[300];
	int at = 0;

	snprintf(group, sizeof(group), "/dev/vfio/%d",
		 pci_group(self->rig.name));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->rig.device);
	ASSERT_LT(0, readlink(path, memset(file, 0, sizeof(file)),
			      sizeof(file) - 1));
	ASSERT_EQ(0, trace_start("iommufd/iommufd_refusal"));
	EXPECT_EQ(-ENODEV, open_unused(group, 5000));
	EXPECT_EQ(-ENODEV, open_unused(file, 5000));
	EXPECT_EQ(-EBUSY, pci_open_group(self->rig.name));
	ASSERT_EQ(0, trace_stop("iommufd/iommufd_refusal"));
	EXPECT_EVENT(&at, "iommufd_refusal",
		     "call=open cmd=0x0 error=-19 reason=the last device of the group is gone");
	EXPECT_EVENT(&at, "iommufd_refusal",
		     "call=open cmd=0x0 error=-19 reason=the device is gone");
	EXPECT_EVENT(&at, "iommufd_refusal",
		     "call=open cmd=0x0 error=-16 reason=1 devices of the group are bound by their device files");
	EXPECT_EVENT(&at, "iommufd_refusal", "no such event");
}

TEST_F(device, the_trace_of_what_is_done)
{
	uint32_t ioas = self->rig.ioas, id = self->rig.device_id;
	int group = pci_group(self->rig.name);
	int fd = self->rig.iommufd;
	uint32_t other;
	int at = 0;

	ASSERT_EQ(0, ioas_alloc(fd, &other));
	ASSERT_EQ(0, trace_start("iommufd"));
	ASSERT_EQ(0, vfio_attach(self->rig.device, &self->pt));
	EXPECT_EQ(0, ioas_map_at(fd, ioas, MAP_RW, self->memory, 2 * PAGE, AT));
	EXPECT_EQ(0, ioas_map_at(fd, ioas, MAP_READ, self->memory, PAGE,
				 AT + 4 * PAGE));
	EXPECT_EQ(-EFAULT, ioas_map_at(fd, ioas, MAP_READ, NULL, PAGE,
				       AT + 5 * PAGE));
	EXPECT_EQ(0, ioas_unmap(fd, ioas, AT, 16 * PAGE, NULL));
	EXPECT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_EQ(0, close(self->rig.device));
	self->rig.device = pci_open_device_file(self->rig.name);
	EXPECT_EQ(0, vfio_bind(self->rig.device, fd, &self->rig.device_id));
	ASSERT_EQ(0, trace_stop("iommufd"));

	EXPECT_EVENT(&at, "iommufd_attach", "device=%s id=%u hwpt=%u ioas=%u",
		     self->rig.name, id, self->pt, ioas);
	EXPECT_EVENT(&at, "iommufd_map",
		     "ioas=%u iova=0x10000000 length=0x2000 prot=read|write",
		     ioas);
	EXPECT_EVENT(&at, "iommufd_map",
		     "ioas=%u iova=0x10004000 length=0x1000 prot=read", ioas);
	EXPECT_EVENT(&at, "iommufd_pin_failed",
		     "start=0x0 npages=1 file=0 write=0 error=-14");
	EXPECT_EVENT(&at, "iommufd_unmap",
		     "ioas=%u iova=0x10000000 last=0x1000ffff unmapped=0x3000",
		     ioas);
	EXPECT_EVENT(&at, "iommufd_detach", "device=%s id=%u hwpt=%u ioas=%u",
		     self->rig.name, id, self->pt, ioas);
	EXPECT_EVENT(&at, "iommufd_unbind", "device=%s id=%u group=%d",
		     self->rig.name, id, group);
	EXPECT_EVENT(&at, "iommufd_bind", "device=%s id=%u group=%d",
		     self->rig.name, self->rig.device_id, group);
}

TEST_HARNESS_MAIN

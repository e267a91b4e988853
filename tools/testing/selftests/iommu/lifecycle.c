// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are closed, passed on and inherited in every order, and what
 * stays alive because of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/census.h"
#include "lib/iommufd.h"
#include "lib/klog.h"
#include "lib/memory.h"
#include "lib/pass.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define PAGES	256
#define SIZE	(PAGES * PAGE)
#define AT	0x10000000UL
#define LENGTH	1024

FIXTURE(life)
{
	struct rig rig;
	unsigned char *memory;
	/* Before anything was mapped. */
	long pins;
};

FIXTURE_SETUP(life)
{
	RIG_SETUP(rig_find, &self->rig);
	self->memory = memory_of_pages(SIZE);
	ASSERT_NE(NULL, self->memory);
	memset(self->memory, 0, SIZE);
	self->pins = census_pins();
}

FIXTURE_TEARDOWN(life)
{
	EXPECT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->pins));
}

/* Loads the device with bytes of 0xee from the last page, which is mapped. */
static int load_device(struct rig *rig, unsigned char *memory)
{
	memset(memory + SIZE - PAGE, 0xee, PAGE);
	return edu_read_memory(&rig->edu, AT + SIZE - PAGE, LENGTH);
}

/* The device writes to page @page; true if that got there. */
static bool dma_works(struct rig *rig, unsigned char *memory, int page)
{
	int i;

	if (edu_write_memory(&rig->edu, AT + page * PAGE, LENGTH))
		return false;
	for (i = 0; i < LENGTH; i++)
		if (memory[page * PAGE + i] != 0xee)
			return false;
	return memory[page * PAGE + LENGTH] == 0;
}

static int start_mapped(struct rig *rig, unsigned char *memory)
{
	int rc = rig_start(rig);

	if (!rc)
		rc = ioas_map_at(rig->iommufd, rig->ioas, MAP_RW, memory, SIZE,
				 AT);
	return rc ? rc : load_device(rig, memory);
}

/* Without its /dev/iommu descriptor a bound device goes on as it was. */
TEST_F(life, close_iommufd_first)
{
	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	ASSERT_EQ(0, close(self->rig.iommufd));
	self->rig.iommufd = -1;
	EXPECT_TRUE(census_settles(self->pins + PAGES));
	EXPECT_TRUE(dma_works(&self->rig, self->memory, 1));
	EXPECT_EQ(0, vfio_detach(self->rig.device));
	EXPECT_TRUE(census_settles(self->pins));
}

/* Without the device the address space goes on, and pins nothing. */
TEST_F(life, close_device_first)
{
	uint64_t unmapped;

	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	edu_fini(&self->rig.edu);
	ASSERT_EQ(0, close(self->rig.device));
	self->rig.device = -1;
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(0, ioas_unmap(self->rig.iommufd, self->rig.ioas, AT, SIZE,
				&unmapped));
	EXPECT_EQ(SIZE, unmapped);
	EXPECT_EQ(0, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
}

/* The memory goes first. */
TEST_F(life, munmap_first)
{
	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	ASSERT_EQ(0, munmap(self->memory, SIZE));
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, AT, LENGTH));
	EXPECT_TRUE(census_settles(self->pins + PAGES));
}

/* Both files are closed while the device is writing. */
TEST_F(life, close_in_flight)
{
	int i;

	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
		edu_start_write(&self->rig.edu, AT, LENGTH);
		if (i & 1) {
			ASSERT_EQ(0, close(self->rig.iommufd));
			self->rig.iommufd = -1;
		}
		ASSERT_EQ(0, rig_close(&self->rig));
		ASSERT_TRUE(census_settles(self->pins));
	}
}

/* A mapping of a BAR keeps the device bound after its file is closed. */
TEST_F(life, bar_outlives_file)
{
	uint32_t id;
	int second;

	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	ASSERT_EQ(0, close(self->rig.device));
	self->rig.device = -1;
	EXPECT_TRUE(dma_works(&self->rig, self->memory, 1));
	second = pci_open_device_file(self->rig.name);
	ASSERT_GE(second, 0);
	EXPECT_EQ(-EINVAL, vfio_bind(second, self->rig.iommufd, &id));
	edu_fini(&self->rig.edu);
	EXPECT_EQ(0, vfio_bind(second, self->rig.iommufd, &id));
	EXPECT_EQ(0, close(second));
}

/* A device that is closed and opened again starts unattached, as new. */
TEST_F(life, reopen)
{
	uint32_t old;

	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	old = self->rig.device_id;
	edu_fini(&self->rig.edu);
	ASSERT_EQ(0, close(self->rig.device));
	self->rig.device = pci_open_device_file(self->rig.name);
	ASSERT_GE(self->rig.device, 0);
	ASSERT_EQ(0, vfio_bind(self->rig.device, self->rig.iommufd,
			       &self->rig.device_id));
	if (old != self->rig.device_id)
		EXPECT_EQ(-ENOENT, iommufd_destroy(self->rig.iommufd, old));
	EXPECT_EQ(0, iommufd_destroy(self->rig.iommufd, self->rig.ioas));
}

/*
 * Files opened by one process and used by another, as libvirt and QEMU do: the
 * user of both binds and maps its own memory, and its death ends it all.
 */
TEST_F(life, passed_files)
{
	int sockets[2], fds[2], status;
	pid_t pid;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		struct rig rig = {};
		uint32_t pt;

		if (pass_receive(sockets[1], fds, 2))
			_exit(1);
		rig.device = fds[0];
		rig.iommufd = fds[1];
		if (vfio_bind(rig.device, rig.iommufd, &rig.device_id) ||
		    ioas_alloc(rig.iommufd, &rig.ioas))
			_exit(2);
		pt = rig.ioas;
		if (vfio_attach(rig.device, &pt) ||
		    edu_init(&rig.edu, rig.device))
			_exit(3);
		if (ioas_map_at(rig.iommufd, rig.ioas, MAP_RW, self->memory,
				SIZE, AT) ||
		    load_device(&rig, self->memory) ||
		    !dma_works(&rig, self->memory, 1))
			_exit(4);
		_exit(0);
	}
	ASSERT_EQ(0, rig_open(&self->rig));
	fds[0] = self->rig.device;
	fds[1] = self->rig.iommufd;
	ASSERT_EQ(0, pass_files(sockets[0], fds, 2));
	ASSERT_EQ(0, rig_close(&self->rig));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(sockets[0]);
	close(sockets[1]);
}

/* Files that are on their way when both ends of the socket go away. */
TEST_F(life, lost_in_transit)
{
	int sockets[2], fds[2];

	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	edu_fini(&self->rig.edu);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	fds[0] = self->rig.device;
	fds[1] = self->rig.iommufd;
	ASSERT_EQ(0, pass_files(sockets[0], fds, 2));
	ASSERT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->pins + PAGES));
	close(sockets[0]);
	close(sockets[1]);
	EXPECT_TRUE(census_settles(self->pins));
}

/* A child inherits both files; either may go first. */
TEST_F(life, fork_child_stays)
{
	int go[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		/* The BAR is shared, the pinned memory is the parent's. */
		if (edu_write_memory(&self->rig.edu, AT + PAGE, LENGTH))
			_exit(2);
		if (self->memory[PAGE] != 0)
			_exit(3);
		if (ioas_unmap(self->rig.iommufd, self->rig.ioas, AT, SIZE,
			       NULL))
			_exit(4);
		_exit(0);
	}
	close(go[0]);
	edu_fini(&self->rig.edu);
	ASSERT_EQ(0, rig_close(&self->rig));
	EXPECT_TRUE(census_settles(self->pins + PAGES));
	ASSERT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0xee, self->memory[PAGE]);
	close(go[1]);
}

/* A child maps through the same file at the same time and goes away. */
TEST_F(life, fork_both_map)
{
	uint64_t iova;
	int status, i;
	pid_t pid;

	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		for (i = 0; i < 200; i++) {
			if (ioas_map(self->rig.iommufd, self->rig.ioas, MAP_RW,
				     self->memory, 16 * PAGE, &iova))
				_exit(1);
			if (ioas_unmap(self->rig.iommufd, self->rig.ioas, iova,
				       16 * PAGE, NULL))
				_exit(2);
		}
		_exit(0);
	}
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(0, ioas_map(self->rig.iommufd, self->rig.ioas,
				      MAP_RW, self->memory, 16 * PAGE, &iova));
		ASSERT_EQ(0, ioas_unmap(self->rig.iommufd, self->rig.ioas,
					iova, 16 * PAGE, NULL));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(census_settles(self->pins + PAGES));
	EXPECT_TRUE(dma_works(&self->rig, self->memory, 3));
}

/* An open file holds its module, a bound device its driver's. */
TEST_F(life, module_users)
{
	int iommufd = census_module_users("iommufd");
	int vfio = census_module_users("vfio");
	int driver = census_module_users("vfio_pci");

	if (iommufd < 0 || vfio < 0 || driver < 0)
		SKIP(return, "the modules are built into this kernel");
	self->rig.iommufd = iommufd_open();
	ASSERT_GE(self->rig.iommufd, 0);
	EXPECT_GT(census_module_users("iommufd"), iommufd);
	close(self->rig.iommufd);
	self->rig.iommufd = -1;
	EXPECT_EQ(iommufd, census_module_users("iommufd"));

	self->rig.device = pci_open_device_file(self->rig.name);
	ASSERT_GE(self->rig.device, 0);
	EXPECT_GT(census_module_users("vfio"), vfio);
	EXPECT_EQ(driver, census_module_users("vfio_pci"));
	ASSERT_EQ(0, close(self->rig.device));
	self->rig.device = -1;
	EXPECT_EQ(vfio, census_module_users("vfio"));

	ASSERT_EQ(0, rig_bind(&self->rig));
	EXPECT_EQ(driver + 1, census_module_users("vfio_pci"));
	EXPECT_GT(census_module_users("iommufd"), iommufd);
	ASSERT_EQ(0, rig_close(&self->rig));
	EXPECT_EQ(driver, census_module_users("vfio_pci"));
	EXPECT_EQ(vfio, census_module_users("vfio"));
	EXPECT_EQ(iommufd, census_module_users("iommufd"));
}

/* Taking the device from its driver waits for the last user of the file. */
TEST_F(life, unbind_driver_while_open)
{
	struct pollfd done = { .events = POLLIN };
	int ends[2], status;
	pid_t pid;

	ASSERT_EQ(0, start_mapped(&self->rig, self->memory));
	ASSERT_EQ(0, pipe(ends));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		/* Only the parent's copies keep the device busy. */
		rig_close(&self->rig);
		close(ends[0]);
		_exit(pci_unbind_driver(self->rig.name) ? 1 : 0);
	}
	close(ends[1]);
	done.fd = ends[0];
	EXPECT_EQ(0, poll(&done, 1, 1000));
	/* The node is gone for others, the open file works on. */
	EXPECT_EQ(-ENOENT, pci_open_device_file(self->rig.name));
	EXPECT_TRUE(dma_works(&self->rig, self->memory, 1));

	ASSERT_EQ(0, rig_close(&self->rig));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(ends[0]);
	EXPECT_TRUE(census_settles(self->pins));
	EXPECT_EQ(0, pci_bind_driver(self->rig.name, "vfio-pci"));
}

/* Bound and attached many times over, in both orders of closing. */
TEST_F_TIMEOUT(life, again_and_again, 120)
{
	int log = klog_mark();
	char trouble[256];
	int i;

	ASSERT_GE(log, 0);
	for (i = 0; i < 10; i++) {
		uint32_t pt;
		int j;

		ASSERT_EQ(0, rig_bind(&self->rig));
		ASSERT_EQ(0, ioas_map_at(self->rig.iommufd, self->rig.ioas,
					 MAP_RW, self->memory, SIZE, AT));
		for (j = 0; j < 50; j++) {
			pt = self->rig.ioas;
			ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
			ASSERT_EQ(0, vfio_detach(self->rig.device));
		}
		if (i & 1) {
			close(self->rig.iommufd);
			self->rig.iommufd = -1;
		}
		ASSERT_EQ(0, rig_close(&self->rig));
	}
	EXPECT_FALSE(klog_has_trouble(log, trouble, sizeof(trouble))) {
		TH_LOG("%s", trouble);
	}
	close(log);
}

TEST_HARNESS_MAIN

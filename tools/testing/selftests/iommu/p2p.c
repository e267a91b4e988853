// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peer-to-peer DMA: edu copies into and out of the BAR of another device, which is
 * memory (QEMU's ivshmem-plain), as long as that device has its BAR and the
 * process its mapping; at any other time it is a blocked access.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/census.h"
#include "lib/type1.h"
#include "p2p.h"

TEST_F(p2p, copies)
{
	ASSERT_EQ(0, map_bar(self));
	EXPECT_WORKS(AT, self->bar, 1);
	EXPECT_WORKS(AT + self->size - PAGE, self->bar + self->size - PAGE, 3);
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size, NULL));
	EXPECT_BLOCKED(AT);
	EXPECT_TRUE(filled(self->bar, 2));
}

/* A page of the BAR is mapped, and not the next one. */
TEST_F(p2p, part)
{
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				 self->bar + PAGE, PAGE, AT));
	EXPECT_WORKS(AT, self->bar + PAGE, 5);
	EXPECT_BLOCKED(AT + PAGE);
}

/* The one device's decode decides, at once and again and again. */
TEST_F(p2p, decode)
{
	unsigned int i;

	ASSERT_EQ(0, map_bar(self));
	for (i = 0; i < 3; i++) {
		EXPECT_WORKS(AT, self->bar, 10 + i);
		ASSERT_EQ(0, set_memory(self->peer, false));
		EXPECT_BLOCKED(AT);
		ASSERT_EQ(0, set_memory(self->peer, true));
		EXPECT_TRUE(filled(self->bar, 11 + i));
	}
	EXPECT_WORKS(AT, self->bar, 20);
}

/* The process has not touched the BAR since it came back. */
TEST_F(p2p, decode_untouched)
{
	ASSERT_EQ(0, map_bar(self));
	fill(self->bar, 30);
	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, set_memory(self->peer, true));
	ASSERT_EQ(0, load(self, 31));
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, AT, CHUNK));
	EXPECT_TRUE(filled(self->bar, 31));
}

TEST_F(p2p, map_while_off)
{
	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, map_bar(self));
	EXPECT_BLOCKED(AT);
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_WORKS(AT, self->bar, 40);
}

TEST_F(p2p, unmap_while_off)
{
	ASSERT_EQ(0, map_bar(self));
	ASSERT_EQ(0, set_memory(self->peer, false));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size, NULL));
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_BLOCKED(AT);
}

/* Memory on both sides stays mapped while the BAR between is not there. */
TEST_F(p2p, neighbours)
{
	uint64_t unmapped;

	ASSERT_EQ(0, map_bar(self));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				 self->page, PAGE, AT - PAGE));
	ASSERT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				 self->page, PAGE, AT + self->size));
	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, load(self, 50));
	fill(self->page, 51);
	EXPECT_EQ(0, edu_write_memory(&self->rig.edu, AT + self->size, CHUNK));
	EXPECT_TRUE(filled(self->page, 50));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT - PAGE,
				self->size + 2 * PAGE, &unmapped));
	EXPECT_EQ(self->size + 2 * PAGE, unmapped);
	EXPECT_BLOCKED(AT - PAGE);
	EXPECT_BLOCKED(AT + self->size);
}

/* IOAS_COPY shows it a second time; both follow the device. */
TEST_F(p2p, copy)
{
	uint64_t to = 2 * AT;

	ASSERT_EQ(0, map_bar(self));
	ASSERT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas, &to,
			       self->ioas, AT + PAGE, PAGE));
	EXPECT_WORKS(to, self->bar + PAGE, 60);
	ASSERT_EQ(0, set_memory(self->peer, false));
	EXPECT_BLOCKED(to);
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size, NULL));
	EXPECT_WORKS(to, self->bar + PAGE, 62);
	EXPECT_BLOCKED(AT);
}

/* A device that is attached later sees it. */
TEST_F(p2p, attach_later)
{
	uint32_t empty, pt;

	ASSERT_EQ(0, ioas_alloc(self->fd, &empty));
	ASSERT_EQ(0, ioas_map_at(self->fd, empty, MAP_RW | MAP_AT, self->page,
				 PAGE, self->iova));
	pt = empty;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	ASSERT_EQ(0, map_bar(self));
	EXPECT_BLOCKED(AT);
	pt = self->ioas;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_WORKS(AT, self->bar, 70);
	pt = empty;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	pt = self->ioas;
	ASSERT_EQ(0, vfio_attach(self->rig.device, &pt));
	EXPECT_WORKS(AT, self->bar, 72);
}

TEST_F(p2p, reset)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	ASSERT_EQ(0, xioctl(self->peer, VFIO_DEVICE_GET_INFO, &info));
	if (!(info.flags & VFIO_DEVICE_FLAGS_RESET))
		SKIP(return, "the device cannot be reset alone here");
	ASSERT_EQ(0, map_bar(self));
	EXPECT_WORKS(AT, self->bar, 80);
	ASSERT_EQ(0, xioctl(self->peer, VFIO_DEVICE_RESET, NULL));
	EXPECT_EQ(0, set_memory(self->peer, true));
	EXPECT_WORKS(AT, self->bar, 82);
}

TEST_F(p2p, hot_reset)
{
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };
	int rc;

	ASSERT_EQ(0, map_bar(self));
	EXPECT_WORKS(AT, self->bar, 90);
	rc = xioctl(self->peer, VFIO_DEVICE_PCI_HOT_RESET, &reset);
	if (rc)
		SKIP(return, "the device's bus cannot be reset here");
	EXPECT_EQ(0, set_memory(self->peer, true));
	EXPECT_WORKS(AT, self->bar, 92);
}

/* The device decodes meanwhile, but may lose its power at any moment. */
TEST_F(p2p, low_power)
{
	struct vfio_device_feature entry = {
		.argsz = sizeof(entry),
		.flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY,
	};
	struct vfio_device_feature exit = {
		.argsz = sizeof(exit),
		.flags = VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
	};

	ASSERT_EQ(0, map_bar(self));
	EXPECT_WORKS(AT, self->bar, 110);
	ASSERT_EQ(0, xioctl(self->peer, VFIO_DEVICE_FEATURE, &entry));
	EXPECT_BLOCKED(AT);
	ASSERT_EQ(0, xioctl(self->peer, VFIO_DEVICE_FEATURE, &exit));
	EXPECT_TRUE(filled(self->bar, 111));
	EXPECT_WORKS(AT, self->bar, 112);
}

/* What the process has at the BAR's address afterwards is not for devices. */
TEST_F(p2p, other_memory)
{
	void *other;

	ASSERT_EQ(0, map_bar(self));
	ASSERT_EQ(0, munmap(self->bar, self->size));
	EXPECT_BLOCKED(AT);

	other = mmap(self->bar, self->size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	ASSERT_EQ(other, self->bar);
	fill(other, 120);
	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_BLOCKED(AT);
	EXPECT_TRUE(filled(other, 120));
}

/* Replaced in one step, and by the BAR itself: the mapping has ended. */
TEST_F(p2p, mapped_again)
{
	struct vfio_region_info info;
	void *again;

	ASSERT_EQ(0, map_bar(self));
	ASSERT_EQ(0, vfio_region(self->peer, PEER_BAR, &info));
	again = mmap(self->bar, self->size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_FIXED, self->peer, info.offset);
	ASSERT_EQ(again, self->bar);
	fill(again, 130);
	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_BLOCKED(AT);
	EXPECT_TRUE(filled(again, 130));
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size, NULL));
	ASSERT_EQ(0, map_bar(self));
	EXPECT_WORKS(AT, self->bar, 131);
}

TEST_F(p2p, munmap_half)
{
	size_t half = self->size / 2;

	ASSERT_EQ(0, map_bar(self));
	ASSERT_EQ(0, munmap(self->bar + half, half));
	EXPECT_BLOCKED(AT + half);
	EXPECT_BLOCKED(AT);
}

/* The driver lets go of the device although its BAR is still mapped. */
TEST_F(p2p, unplug)
{
	ASSERT_EQ(0, map_bar(self));
	ASSERT_EQ(0, munmap(self->bar, self->size));
	self->bar = NULL;
	ASSERT_EQ(0, close(self->peer));
	self->peer = -1;
	ASSERT_EQ(0, pci_unbind_driver(self->name));
	EXPECT_BLOCKED(AT);
	EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size, NULL));
}

TEST_F(p2p, charges_nothing)
{
	long pinned = census_pinned();
	char text[2048], line[128];

	ASSERT_GE(pinned, 0);
	ASSERT_EQ(0, map_bar(self));
	EXPECT_EQ(pinned, census_pinned());
	/* The edu's page is pinned, and the BAR is told of apart */
	iommufd_describe(self->fd, text, sizeof(text));
	snprintf(line, sizeof(line),
		 "ioas:\t%u mapped %lu pinned 4096 bars %zu domains 1\n",
		 self->ioas, self->size + 4096, self->size);
	EXPECT_NE(NULL, strstr(text, line)) TH_LOG("in %s", text);
	ASSERT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size, NULL));
	EXPECT_EQ(pinned, census_pinned());
}

/* Devices may not do what the process may not. */
TEST_F(p2p, read_only)
{
	uint64_t iova = 0;

	ASSERT_EQ(0, mprotect(self->bar, self->size, PROT_READ));
	EXPECT_EQ(-EFAULT, map_bar(self));
	EXPECT_EQ(0, ioas_map(self->fd, self->ioas, MAP_READ, self->bar,
			      self->size, &iova));
	ASSERT_EQ(0, mprotect(self->bar, self->size, PROT_NONE));
	EXPECT_EQ(-EFAULT, ioas_map_at(self->fd, self->ioas, MAP_READ | MAP_AT,
				       self->bar, self->size, AT));
	EXPECT_BLOCKED(iova);
}

/* It must be one mapping of one BAR from end to end. */
TEST_F(p2p, beyond_the_end)
{
	unsigned char *room = memory_anonymous(self->size + 2 * PAGE);
	struct vfio_region_info info;

	ASSERT_NE(NULL, room);
	ASSERT_EQ(0, vfio_region(self->peer, PEER_BAR, &info));
	ASSERT_EQ(room + PAGE,
		  mmap(room + PAGE, self->size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, self->peer, info.offset));
	EXPECT_EQ(-EFAULT, ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				       room, self->size, AT));
	EXPECT_EQ(-EFAULT, ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				       room + 2 * PAGE, self->size, AT));
	EXPECT_EQ(0, ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				 room + PAGE, self->size, AT));
	munmap(room, self->size + 2 * PAGE);
}

/* The same frames, mapped by anything but VFIO, are refused. */
TEST_F(p2p, not_vfio)
{
	char path[128];
	void *memory;
	int file;

	/* Nobody else may map it while a driver has it */
	ASSERT_EQ(0, munmap(self->bar, self->size));
	self->bar = NULL;
	ASSERT_EQ(0, close(self->peer));
	self->peer = -1;
	ASSERT_EQ(0, pci_unbind_driver(self->name));

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource2",
		 self->name);
	file = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(file, 0);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	ASSERT_NE(MAP_FAILED, memory);
	EXPECT_EQ(-EFAULT, ioas_map_at(self->fd, self->ioas, MAP_RW | MAP_AT,
				       memory, PAGE, AT));
	munmap(memory, PAGE);
	close(file);
}

TEST_F(p2p, dev_mem)
{
	int file = open("/dev/mem", O_RDWR | O_CLOEXEC);
	void *memory;

	if (file < 0)
		SKIP(return, "no /dev/mem here");
	/* The BIOS's area: open to /dev/mem however strict the kernel is */
	memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0xf0000);
	close(file);
	if (memory == MAP_FAILED)
		SKIP(return, "/dev/mem cannot be mapped here");
	EXPECT_EQ(-EFAULT, ioas_map_at(self->fd, self->ioas, MAP_READ | MAP_AT,
				       memory, PAGE, AT));
	munmap(memory, PAGE);
}

TEST_F(p2p, type1)
{
	uint64_t size = self->size;

	ASSERT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
	ASSERT_EQ(0, container_map(self->fd, DMA_RW, self->bar, size, AT));
	EXPECT_WORKS(AT, self->bar, 150);
	EXPECT_EQ(0, container_unmap(self->fd, 0, AT, &size));
	EXPECT_EQ(self->size, size);
	EXPECT_BLOCKED(AT);
	EXPECT_TRUE(filled(self->bar, 151));
}

/* The process tells where it has the BAR now, as one does that was replaced. */
TEST_F(p2p, type1_moved)
{
	uint64_t size = self->size;
	unsigned char *bar;

	ASSERT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
	ASSERT_EQ(0, container_map(self->fd, DMA_RW, self->bar, size, AT));
	ASSERT_EQ(0, container_unmap(self->fd, VFIO_DMA_UNMAP_FLAG_VADDR, AT,
				     &size));
	bar = vfio_map_bar(self->peer, PEER_BAR, &self->size);
	ASSERT_NE(NULL, bar);
	ASSERT_EQ(0, munmap(self->bar, self->size));
	self->bar = bar;
	ASSERT_EQ(0, container_map(self->fd, VFIO_DMA_MAP_FLAG_VADDR, bar,
				   self->size, AT));
	EXPECT_WORKS(AT, bar, 160);
	ASSERT_EQ(0, set_memory(self->peer, false));
	EXPECT_BLOCKED(AT);
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_TRUE(filled(bar, 161));
	EXPECT_WORKS(AT, bar, 162);
}

/* What is there now is other memory: the mapping stays, and shows nothing. */
TEST_F(p2p, type1_moved_away)
{
	uint64_t size = self->size;
	unsigned char *other;

	ASSERT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
	ASSERT_EQ(0, container_map(self->fd, DMA_RW, self->bar, size, AT));
	ASSERT_EQ(0, container_unmap(self->fd, VFIO_DMA_UNMAP_FLAG_VADDR, AT,
				     &size));
	other = memory_anonymous(size);
	ASSERT_NE(NULL, other);
	fill(other, 170);
	fill(self->bar, 171);
	ASSERT_EQ(0, container_map(self->fd, VFIO_DMA_MAP_FLAG_VADDR, other,
				   self->size, AT));
	EXPECT_BLOCKED(AT);
	EXPECT_TRUE(filled(other, 170));
	EXPECT_TRUE(filled(self->bar, 171));
	munmap(other, size);
}

/* As that, where nothing is for the moment. The BAR itself there is too late. */
TEST_F(p2p, type1_moved_nowhere)
{
	struct vfio_region_info info;
	uint64_t size = self->size;
	unsigned char *nowhere;
	void *bar;

	ASSERT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &self->ioas));
	ASSERT_EQ(0, container_map(self->fd, DMA_RW, self->bar, size, AT));
	ASSERT_EQ(0, container_unmap(self->fd, VFIO_DMA_UNMAP_FLAG_VADDR, AT,
				     &size));
	nowhere = memory_anonymous(size);
	ASSERT_NE(NULL, nowhere);
	ASSERT_EQ(0, munmap(nowhere, size));
	ASSERT_EQ(0, container_map(self->fd, VFIO_DMA_MAP_FLAG_VADDR, nowhere,
				   self->size, AT));
	ASSERT_EQ(0, vfio_region(self->peer, PEER_BAR, &info));
	bar = mmap(nowhere, size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE, self->peer, info.offset);
	ASSERT_EQ(nowhere, bar);
	fill(bar, 172);
	ASSERT_EQ(0, set_memory(self->peer, false));
	ASSERT_EQ(0, set_memory(self->peer, true));
	EXPECT_BLOCKED(AT);
	EXPECT_TRUE(filled(bar, 172));
	munmap(bar, size);
}

struct toggler {
	int device;
	atomic_bool stop;
	int rc;
};

static void *toggle(void *arg)
{
	struct toggler *toggler = arg;
	bool on = true;

	while (!atomic_load(&toggler->stop) || !on) {
		on = !on;
		toggler->rc = set_memory(toggler->device, on) ?: toggler->rc;
	}
	return NULL;
}

/* The BAR comes and goes while it is mapped, copied and unmapped. */
TEST_F(p2p, busy)
{
	struct toggler toggler = { .device = self->peer };
	uint64_t to = 2 * AT;
	pthread_t thread;
	unsigned int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, toggle, &toggler));
	for (i = 0; i < 300; i++) {
		EXPECT_EQ(0, map_bar(self));
		EXPECT_EQ(0, ioas_copy(self->fd, MAP_RW | MAP_AT, self->ioas,
				       &to, self->ioas, AT, PAGE));
		EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, AT, self->size,
					NULL));
		EXPECT_EQ(0, ioas_unmap(self->fd, self->ioas, to, PAGE, NULL));
	}
	ASSERT_EQ(0, map_bar(self));
	usleep(100000);
	atomic_store(&toggler.stop, true);
	pthread_join(thread, NULL);
	EXPECT_EQ(0, toggler.rc);
	EXPECT_WORKS(AT, self->bar, 140);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that cloud-hypervisor makes with iommufd=on, in its order: it gives
 * KVM each device file, binds, attaches to an IOAS, maps guest memory and every
 * BAR, and takes any failure for the end. Both files are its own, or come from
 * another process over a socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "lib/guest.h"
#include "lib/iommufd.h"
#include "lib/rig.h"
#include "lib/vfio.h"

#define PEER_VENDOR	0x1af4
#define PEER_DEVICE	0x1110
#define DEVICES		2
#define BARS		6
#define BARS_AT		0xc0000000UL
#define BAR_ROOM	0x1000000UL
#define CHUNK		1024UL
#define PAGE		4096UL

struct bar {
	void *memory;
	size_t size;
	uint64_t iova;
};

struct device {
	char name[PCI_NAME_LEN];
	int file;
	uint32_t hwpt;
	struct bar bars[BARS];
};

FIXTURE(vmm)
{
	struct guest guest;
	struct device devices[DEVICES];
	int iommufd;
	uint32_t ioas;
	struct edu edu;
};

FIXTURE_VARIANT(vmm)
{
	bool received;
};

FIXTURE_VARIANT_ADD(vmm, own_files)
{
	.received = false,
};

FIXTURE_VARIANT_ADD(vmm, received_files)
{
	.received = true,
};

static int open_files(struct device *devices, int *iommufd)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++) {
		devices[i].file = pci_open_device_file(devices[i].name);
		if (devices[i].file < 0)
			return devices[i].file;
	}
	*iommufd = iommufd_open();
	return *iommufd < 0 ? *iommufd : 0;
}

struct message {
	struct msghdr header;
	struct iovec body;
	char byte;
	union {
		char room[CMSG_SPACE((DEVICES + 1) * sizeof(int))];
		struct cmsghdr align;
	};
};

static struct cmsghdr *message_init(struct message *message)
{
	struct cmsghdr *control;

	memset(message, 0, sizeof(*message));
	message->body.iov_base = &message->byte;
	message->body.iov_len = 1;
	message->header.msg_iov = &message->body;
	message->header.msg_iovlen = 1;
	message->header.msg_control = message->room;
	message->header.msg_controllen = sizeof(message->room);
	control = CMSG_FIRSTHDR(&message->header);
	control->cmsg_level = SOL_SOCKET;
	control->cmsg_type = SCM_RIGHTS;
	control->cmsg_len = CMSG_LEN((DEVICES + 1) * sizeof(int));
	return control;
}

/* The process that manages machines: opens the files, sends them, and is gone. */
static void manager(struct device *devices, int channel)
{
	int files[DEVICES + 1];
	struct message message;
	unsigned int i;

	if (open_files(devices, &files[DEVICES]))
		_exit(1);
	for (i = 0; i < DEVICES; i++)
		files[i] = devices[i].file;
	memcpy(CMSG_DATA(message_init(&message)), files, sizeof(files));
	_exit(sendmsg(channel, &message.header, 0) != 1);
}

static int receive_files(struct device *devices, int *iommufd)
{
	int files[DEVICES + 1];
	struct message message;
	int channel[2];
	unsigned int i;
	int status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (!pid)
		manager(devices, channel[1]);
	close(channel[1]);
	message_init(&message);
	if (recvmsg(channel[0], &message.header, MSG_CMSG_CLOEXEC) != 1 ||
	    message.header.msg_controllen < sizeof(message.room))
		return -EPROTO;
	close(channel[0]);
	if (waitpid(pid, &status, 0) != pid || status)
		return -ECHILD;
	memcpy(files, CMSG_DATA(CMSG_FIRSTHDR(&message.header)), sizeof(files));
	for (i = 0; i < DEVICES; i++)
		devices[i].file = files[i];
	*iommufd = files[DEVICES];
	return 0;
}

FIXTURE_SETUP(vmm)
{
	unsigned int i;

	if (guest_impossible())
		SKIP(return, "%s", guest_impossible());
	if (pci_find(EDU_VENDOR, EDU_DEVICE, 0, self->devices[0].name))
		SKIP(return, "no edu device in this machine");
	if (pci_find(PEER_VENDOR, PEER_DEVICE, 0, self->devices[1].name))
		SKIP(return, "no ivshmem device in this machine");
	for (i = 0; i < DEVICES; i++)
		ASSERT_EQ(0, pci_bind_driver(self->devices[i].name,
					     "vfio-pci"));
	ASSERT_EQ(0, guest_create(&self->guest));
	if (variant->received) {
		ASSERT_EQ(0, receive_files(self->devices, &self->iommufd));
	} else {
		ASSERT_EQ(0, open_files(self->devices, &self->iommufd));
	}
}

FIXTURE_TEARDOWN(vmm)
{
	unsigned int i;

	for (i = 0; i < DEVICES; i++)
		EXPECT_EQ(0, close(self->devices[i].file));
	EXPECT_EQ(0, close(self->iommufd));
	guest_destroy(&self->guest);
}

static int start_device(FIXTURE_DATA(vmm) *self, struct device *device)
{
	uint32_t id;
	int rc;

	rc = guest_add(&self->guest, device->file);
	if (!rc)
		rc = vfio_bind(device->file, self->iommufd, &id);
	device->hwpt = self->ioas;
	if (!rc)
		rc = vfio_attach(device->file, &device->hwpt);
	return rc;
}

static int look_at_device(struct device *device)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	struct vfio_irq_info irq = { .argsz = sizeof(irq) };
	int rc;

	rc = xioctl(device->file, VFIO_DEVICE_GET_INFO, &info);
	if (!rc && info.flags & VFIO_DEVICE_FLAGS_RESET)
		rc = xioctl(device->file, VFIO_DEVICE_RESET, NULL);
	for (; !rc && irq.index < info.num_irqs; irq.index++) {
		rc = xioctl(device->file, VFIO_DEVICE_GET_IRQ_INFO, &irq);
		/* Not every device has every kind */
		if (rc == -EINVAL && irq.index >= VFIO_PCI_ERR_IRQ_INDEX)
			rc = 0;
	}
	return rc;
}

static int map_bars(FIXTURE_DATA(vmm) *self, struct device *device,
		    uint64_t iova)
{
	struct vfio_region_info info;
	unsigned int i;
	int rc;

	for (i = 0; i < BARS; i++, iova += BAR_ROOM) {
		struct bar *bar = &device->bars[i];

		rc = vfio_region(device->file, i, &info);
		if (rc)
			return rc;
		/* Accesses to less than pages are trapped instead */
		if (!info.size || info.size % PAGE ||
		    !(info.flags & VFIO_REGION_INFO_FLAG_MMAP))
			continue;
		bar->iova = iova;
		bar->memory = vfio_map_bar(device->file, i, &bar->size);
		if (!bar->memory)
			return -errno;
		rc = ioas_map_at(self->iommufd, self->ioas, MAP_RW | MAP_AT,
				 bar->memory, bar->size, iova);
		if (rc)
			return rc;
	}
	return 0;
}

static int unmap_bars(FIXTURE_DATA(vmm) *self, struct device *device)
{
	unsigned int i;
	int rc = 0;

	for (i = 0; i < BARS && !rc; i++) {
		struct bar *bar = &device->bars[i];

		if (!bar->memory)
			continue;
		rc = ioas_unmap(self->iommufd, self->ioas, bar->iova, bar->size,
				NULL);
		if (!rc && munmap(bar->memory, bar->size))
			rc = -errno;
		bar->memory = NULL;
	}
	return rc;
}

static unsigned int count_bars(const struct device *device)
{
	unsigned int nr = 0;
	unsigned int i;

	for (i = 0; i < BARS; i++)
		nr += !!device->bars[i].memory;
	return nr;
}

/* Life of a machine with two devices; the guest moves the BARs once. */
TEST_F(vmm, life)
{
	unsigned char *memory = self->guest.memory;
	unsigned char *target;
	unsigned int i;

	ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
	for (i = 0; i < DEVICES; i++)
		ASSERT_EQ(0, start_device(self, &self->devices[i]));
	for (i = 0; i < DEVICES; i++)
		ASSERT_EQ(0, look_at_device(&self->devices[i]));
	ASSERT_EQ(0, ioas_map_at(self->iommufd, self->ioas, MAP_RW | MAP_AT,
				 memory, 0x10000, 0));
	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(0, map_bars(self, &self->devices[i],
				      BARS_AT + i * BARS * BAR_ROOM));
		EXPECT_GE(count_bars(&self->devices[i]), 1);
	}

	for (i = 0; i < DEVICES; i++) {
		struct device *device = &self->devices[i];

		ASSERT_EQ(0, unmap_bars(self, device));
		ASSERT_EQ(0, map_bars(self, device, BARS_AT + BAR_ROOM *
				      BARS * (DEVICES + i)));
		ASSERT_EQ(0, vfio_set_command(device->file, 0,
					      PCI_COMMAND_MEMORY));
	}

	/* The guest's driver of edu copies memory to the other device */
	target = self->devices[1].bars[2].memory;
	ASSERT_NE(NULL, target);
	for (i = 0; i < CHUNK; i++) {
		memory[0x8000 + i] = i * 11 + 3;
		target[i] = 0;
	}
	ASSERT_EQ(0, edu_init(&self->edu, self->devices[0].file));
	EXPECT_EQ(0, edu_read_memory(&self->edu, 0x8000, CHUNK));
	EXPECT_EQ(0, edu_write_memory(&self->edu,
				      self->devices[1].bars[2].iova, CHUNK));
	EXPECT_EQ(0, memcmp(memory + 0x8000, target, CHUNK));
	edu_fini(&self->edu);

	for (i = 0; i < DEVICES; i++) {
		ASSERT_EQ(0, unmap_bars(self, &self->devices[i]));
		EXPECT_EQ(0, vfio_detach(self->devices[i].file));
		EXPECT_EQ(0, guest_del(&self->guest, self->devices[i].file));
	}
	EXPECT_EQ(0, ioas_unmap(self->iommufd, self->ioas, 0, 0x10000, NULL));
	EXPECT_EQ(0, iommufd_destroy(self->iommufd, self->ioas));
}

TEST_HARNESS_MAIN

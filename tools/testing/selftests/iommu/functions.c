// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two functions of one card, each in an IOMMU group of its own: they are reset
 * together, but the user of one does not wait for the arguments of the other's, who
 * can keep the kernel waiting for them as long as he likes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/pci.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define INTEL	0x8086
#define IGB	0x10c9
#define E1000E	0x10d3
/* Far more than what is not kept waiting takes, in seconds */
#define LONG	30

/* A page that the kernel waits for */
struct held_page {
	char *page;
	int holder;
	bool filled;
};

/* With @data the kernel can read the page and not write it, else neither. */
static int hold(struct held_page *held, const void *data, size_t size)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP,
	};
	struct uffdio_register area = {
		.range.len = PAGE,
		.mode = data ? UFFDIO_REGISTER_MODE_WP :
			       UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_writeprotect protect = {
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};

	held->filled = data;
	held->page = memory_of_pages(PAGE);
	if (!held->page)
		return -ENOMEM;
	if (data)
		memcpy(held->page, data, size);
	held->holder = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (held->holder < 0)
		return -errno;
	area.range.start = (uintptr_t)held->page;
	protect.range = area.range;
	return xioctl(held->holder, UFFDIO_API, &api) ?:
	       xioctl(held->holder, UFFDIO_REGISTER, &area) ?:
	       !data ? 0 : xioctl(held->holder, UFFDIO_WRITEPROTECT, &protect);
}

/* Whether the kernel waits for the page now */
static bool is_waited_for(const struct held_page *held)
{
	struct pollfd fault = { .fd = held->holder, .events = POLLIN };
	struct uffd_msg message;

	return poll(&fault, 1, LONG * 1000) == 1 &&
	       read(held->holder, &message, sizeof(message)) == sizeof(message);
}

static int let_go(const struct held_page *held)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)held->page, .len = PAGE },
	};
	struct uffdio_writeprotect protect = { .range = zero.range };

	return held->filled ?
	       xioctl(held->holder, UFFDIO_WRITEPROTECT, &protect) :
	       xioctl(held->holder, UFFDIO_ZEROPAGE, &zero);
}

/* A call on a thread of its own */
struct call {
	pthread_t thread;
	int file;
	unsigned long number;
	void *arg;
	int rc;
};

static void *do_call(void *data)
{
	struct call *call = data;

	call->rc = xioctl(call->file, call->number, call->arg);
	return NULL;
}

static int call_start(struct call *call, int file, unsigned long number,
		      void *arg)
{
	*call = (struct call){ .file = file, .number = number, .arg = arg };
	return -pthread_create(&call->thread, NULL, do_call, call);
}

static int call_end(struct call *call)
{
	pthread_join(call->thread, NULL);
	return call->rc;
}

/* What the user of a function does, from its opening to its closing */
struct neighbour {
	pthread_t thread;
	const char *name;
	int rc;
};

static int hot_reset_info(int device)
{
	struct {
		struct vfio_pci_hot_reset_info head;
		struct vfio_pci_dependent_device devices[8];
	} info = { .head.argsz = sizeof(info) };

	return xioctl(device, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &info);
}

static void *live(void *data)
{
	struct neighbour *neighbour = data;
	int device = pci_open_device_file(neighbour->name);
	int iommufd = iommufd_open();
	uint32_t id, ioas;
	int rc;

	rc = device < 0 ? device : iommufd < 0 ? iommufd : 0;
	if (!rc)
		rc = ioas_alloc(iommufd, &ioas);
	if (!rc)
		rc = vfio_bind(device, iommufd, &id);
	if (!rc)
		rc = vfio_attach(device, &ioas);
	if (!rc)
		rc = hot_reset_info(device);
	if (!rc)
		rc = vfio_detach(device);
	close(device);
	close(iommufd);
	neighbour->rc = rc;
	return NULL;
}

FIXTURE(functions)
{
	char names[2][PCI_NAME_LEN];
	struct held_page held;
	int iommufd;
	int device;
	uint32_t ioas;
	struct neighbour neighbour;
};

FIXTURE_SETUP(functions)
{
	ASSERT_EQ(0, pci_find(INTEL, IGB, 0, self->names[0]));
	ASSERT_EQ(0, pci_bind_driver(self->names[0], "vfio-pci"));
	ASSERT_EQ(0, pci_find(INTEL, E1000E, 0, self->names[1]));
	ASSERT_EQ(0, pci_bind_driver(self->names[1], "vfio-pci"));
	/* One card, two groups */
	ASSERT_EQ(0, strncmp(self->names[0], self->names[1],
			     strlen("0000:00:00.")));
	ASSERT_NE(pci_group(self->names[0]), pci_group(self->names[1]));
	self->iommufd = iommufd_open();
	ASSERT_GE(self->iommufd, 0);
	ASSERT_EQ(0, ioas_alloc(self->iommufd, &self->ioas));
	self->device = pci_open_device_file(self->names[0]);
	ASSERT_GE(self->device, 0);
	self->neighbour.name = self->names[1];
}

FIXTURE_TEARDOWN(functions)
{
	close(self->device);
	close(self->iommufd);
	EXPECT_EQ(0, pci_unbind_driver(self->names[0]));
	EXPECT_EQ(0, pci_unbind_driver(self->names[1]));
}

/*
 * @_call has begun and waits for the page. Meanwhile the other function's user does
 * all that there is to do; then the page is let go, and the call succeeds.
 */
#define EXPECT_WAITS_ALONE(_call) do { \
	struct neighbour *_neighbour = &self->neighbour; \
	struct timespec _until; \
	int _late; \
	EXPECT_TRUE(is_waited_for(&self->held)); \
	ASSERT_EQ(0, pthread_create(&_neighbour->thread, NULL, live, \
				    _neighbour)); \
	clock_gettime(CLOCK_REALTIME, &_until); \
	_until.tv_sec += LONG; \
	_late = pthread_timedjoin_np(_neighbour->thread, NULL, &_until); \
	EXPECT_EQ(0, _late); \
	EXPECT_EQ(0, let_go(&self->held)); \
	EXPECT_EQ(0, call_end(_call)); \
	if (_late) \
		pthread_join(_neighbour->thread, NULL); \
	EXPECT_EQ(0, _neighbour->rc); \
} while (0)

TEST_F(functions, token)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.flags = VFIO_DEVICE_BIND_FLAG_TOKEN,
		.iommufd = self->iommufd,
	};
	struct call call;

	ASSERT_EQ(0, hold(&self->held, NULL, 0));
	bind.token_uuid_ptr = (uintptr_t)self->held.page;
	ASSERT_EQ(0, call_start(&call, self->device, VFIO_DEVICE_BIND_IOMMUFD,
				&bind));
	EXPECT_WAITS_ALONE(&call);
}

TEST_F(functions, answer_of_bind)
{
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = self->iommufd,
	};
	struct call call;

	ASSERT_EQ(0, hold(&self->held, &bind, sizeof(bind)));
	ASSERT_EQ(0, call_start(&call, self->device, VFIO_DEVICE_BIND_IOMMUFD,
				self->held.page));
	EXPECT_WAITS_ALONE(&call);
}

TEST_F(functions, answer_of_attach)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = self->ioas,
	};
	struct call call;
	uint32_t id;

	ASSERT_EQ(0, vfio_bind(self->device, self->iommufd, &id));
	ASSERT_EQ(0, hold(&self->held, &attach, sizeof(attach)));
	ASSERT_EQ(0, call_start(&call, self->device,
				VFIO_DEVICE_ATTACH_IOMMUFD_PT,
				self->held.page));
	EXPECT_WAITS_ALONE(&call);
}

TEST_HARNESS_MAIN

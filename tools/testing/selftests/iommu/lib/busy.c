// SPDX-License-Identifier: GPL-2.0-only
#include "busy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "iommufd.h"
#include "memory.h"

#define PAGE 4096UL

static void *use(void *data)
{
	struct busy *busy = data;

	/* A range from 0 to 0, which is none */
	busy->rc = busy->request ?
		xioctl(busy->fd, busy->request, busy->page) :
		ioas_allow(busy->fd, busy->ioas, busy->page, 1);
	return NULL;
}

static int hold(void *page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	int rc;

	if (fd < 0)
		return -errno;
	rc = xioctl(fd, UFFDIO_API, &api) ?:
	     xioctl(fd, UFFDIO_REGISTER, &area);
	if (!rc)
		return fd;
	close(fd);
	return rc;
}

static int start(struct busy *busy)
{
	struct uffd_msg message;

	busy->page = memory_of_pages(PAGE);
	if (!busy->page)
		return -ENOMEM;
	busy->holder = hold(busy->page);
	if (busy->holder < 0)
		return busy->holder;
	if (pthread_create(&busy->thread, NULL, use, busy))
		return -EAGAIN;
	return read(busy->holder, &message, sizeof(message)) ==
	       sizeof(message) ? 0 : -EIO;
}

int busy_start(struct busy *busy, int iommufd, uint32_t ioas)
{
	*busy = (struct busy){ .fd = iommufd, .ioas = ioas };
	return start(busy);
}

int busy_start_ioctl(struct busy *busy, int fd, unsigned long request)
{
	*busy = (struct busy){ .fd = fd, .request = request };
	return start(busy);
}

int busy_end(struct busy *busy)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)busy->page, .len = PAGE },
	};
	int rc = xioctl(busy->holder, UFFDIO_ZEROPAGE, &zero);

	if (!rc)
		rc = pthread_join(busy->thread, NULL);
	close(busy->holder);
	munmap(busy->page, PAGE);
	if (rc)
		return rc;
	return busy->rc == -EINVAL ? 0 : busy->rc ?: -EIO;
}

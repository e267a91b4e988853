// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: traced DEVICE-FILE
 *
 * One of each thing that has a tracepoint, always with the same numbers.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#define PAGE	4096UL
#define AT	0x10000000UL

static void call(int fd, unsigned long number, void *arg, int error)
{
	int got = ioctl(fd, number, arg) < 0 ? errno : 0;

	if (got != error)
		errx(1, "ioctl 0x%lx: error %d, not %d", number, got, error);
}

static uint32_t make_ioas(int fd)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	call(fd, IOMMU_IOAS_ALLOC, &alloc, 0);
	return alloc.out_ioas_id;
}

static void map(int fd, uint32_t ioas, void *memory, uint32_t flags, int error)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | flags,
		.ioas_id = ioas,
		.user_va = (uintptr_t)memory,
		.length = 2 * PAGE,
		.iova = AT,
	};

	call(fd, IOMMU_IOAS_MAP, &map, error);
}

static void attach(int device, uint32_t ioas)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = ioas,
	};

	call(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach, 0);
}

int main(int argc, char **argv)
{
	int fd = open("/dev/iommu", O_RDWR), device;
	struct vfio_device_bind_iommufd bind = {
		.argsz = sizeof(bind),
		.iommufd = fd,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.iova = AT,
		.length = 16 * PAGE,
	};
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = 77 };
	uint32_t ioas;
	void *memory;

	if (argc != 2)
		errx(1, "usage: traced DEVICE-FILE");
	device = open(argv[1], O_RDWR);
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || device < 0 || memory == MAP_FAILED)
		err(1, "%s", argv[1]);
	call(device, VFIO_DEVICE_BIND_IOMMUFD, &bind, 0);
	ioas = make_ioas(fd);
	attach(device, ioas);
	map(fd, ioas, NULL, IOMMU_IOAS_MAP_READABLE, EFAULT);
	map(fd, ioas, memory,
	    IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE, 0);
	unmap.ioas_id = ioas;
	call(fd, IOMMU_IOAS_UNMAP, &unmap, 0);
	call(fd, IOMMU_DESTROY, &destroy, ENOENT);
	attach(device, make_ioas(fd));
	close(device);
	return 0;
}

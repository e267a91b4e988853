// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: traced DEVICE-FILE
 *
 * One of each thing that has a tracepoint, always with the same numbers.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/iommufd.h"
#include "lib/vfio.h"

#define PAGE	4096UL
#define AT	0x10000000UL

static void expect(const char *what, int wanted, int got)
{
	if (got != wanted)
		errx(1, "%s: error %d, not %d", what, got, wanted);
}

int main(int argc, char **argv)
{
	int fd = iommufd_open(), device;
	uint32_t id, ioas, hwpt;
	void *memory;

	if (argc != 2)
		errx(1, "usage: traced DEVICE-FILE");
	device = open(argv[1], O_RDWR);
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fd < 0 || device < 0 || memory == MAP_FAILED)
		err(1, "%s", argv[1]);
	expect("bind", 0, vfio_bind(device, fd, &id));
	expect("alloc", 0, ioas_alloc(fd, &ioas));
	hwpt = ioas;
	expect("attach", 0, vfio_attach(device, &hwpt));
	expect("map of nothing", -EFAULT,
	       ioas_map_at(fd, ioas, MAP_READ, NULL, 2 * PAGE, AT));
	expect("map", 0,
	       ioas_map_at(fd, ioas, MAP_RW, memory, 2 * PAGE, AT));
	expect("unmap", 0, ioas_unmap(fd, ioas, AT, 16 * PAGE, NULL));
	expect("destroy", -ENOENT, iommufd_destroy(fd, 77));
	expect("another alloc", 0, ioas_alloc(fd, &ioas));
	expect("replace", 0, vfio_attach(device, &ioas));
	close(device);
	return 0;
}

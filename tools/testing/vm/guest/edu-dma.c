// SPDX-License-Identifier: GPL-2.0-only
/*
 * edu-dma: send a page half to QEMU's edu device by DMA, fetch it back to
 * another place, and compare.
 *
 * It runs as root in a guest without an IOMMU of its own, where a bus address
 * is a physical one; /proc/self/pagemap tells it.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PCI_ROOT	"/sys/bus/pci/devices"
#define PCI_COMMAND	4
#define PCI_MEMORY	2
#define PCI_MASTER	4

#define BAR_SIZE	0x100000
#define EDU_BUFFER	0x40000
#define REG_SRC		0x80
#define REG_DST		0x88
#define REG_COUNT	0x90
#define REG_CMD		0x98
#define CMD_START	1
#define CMD_TO_RAM	2

#define HALF		2048

static int open_in(const char *dev, const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), PCI_ROOT "/%s/%s", dev, name);
	return open(path, flags);
}

static unsigned int id_of(const char *dev, const char *name)
{
	char text[16] = "";
	int fd = open_in(dev, name, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		err(1, "%s/%s", dev, name);
	close(fd);
	return strtoul(text, NULL, 16);
}

static volatile uint8_t *map_edu(void)
{
	DIR *dir = opendir(PCI_ROOT);
	struct dirent *entry;
	uint16_t command;
	void *bar;
	int fd;

	if (!dir)
		err(1, PCI_ROOT);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (id_of(entry->d_name, "vendor") == 0x1234 &&
		    id_of(entry->d_name, "device") == 0x11e8)
			break;
	}
	if (!entry)
		errx(1, "no edu device");

	/* Nothing else turns on the BAR and bus mastering without a driver. */
	fd = open_in(entry->d_name, "config", O_RDWR);
	if (fd < 0 || pread(fd, &command, 2, PCI_COMMAND) != 2)
		err(1, "config");
	command |= PCI_MEMORY | PCI_MASTER;
	if (pwrite(fd, &command, 2, PCI_COMMAND) != 2)
		err(1, "config");
	close(fd);

	fd = open_in(entry->d_name, "resource0", O_RDWR);
	if (fd < 0)
		err(1, "resource0");
	bar = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bar == MAP_FAILED)
		err(1, "mapping the BAR");
	close(fd);
	closedir(dir);
	return bar;
}

static uint64_t bus_address(const void *page)
{
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, 8, (uintptr_t)page / 4096 * 8) != 8)
		err(1, "pagemap");
	close(fd);
	if (!(entry >> 63) || !(entry & ((1ULL << 55) - 1)))
		errx(1, "the page has no address");
	return (entry & ((1ULL << 55) - 1)) * 4096;
}

static void transfer(volatile uint8_t *bar, uint64_t src, uint64_t dst,
		     unsigned int cmd)
{
	int tries;

	*(volatile uint64_t *)(bar + REG_SRC) = src;
	*(volatile uint64_t *)(bar + REG_DST) = dst;
	*(volatile uint64_t *)(bar + REG_COUNT) = HALF;
	*(volatile uint64_t *)(bar + REG_CMD) = cmd | CMD_START;
	for (tries = 0; tries < 5000; tries++) {
		if (!(*(volatile uint64_t *)(bar + REG_CMD) & CMD_START))
			return;
		usleep(1000);
	}
	errx(1, "the transfer does not end");
}

int main(void)
{
	volatile uint8_t *bar = map_edu();
	uint8_t *page, sent[HALF];
	uint64_t address;
	int i;

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (page == MAP_FAILED || mlock(page, 4096))
		err(1, "a page to transfer");
	for (i = 0; i < HALF; i++)
		page[i] = sent[i] = (uint8_t)(i * 7 + (i >> 8) + getpid());
	memset(page + HALF, 0, HALF);
	address = bus_address(page);

	transfer(bar, address, EDU_BUFFER, 0);
	memset(page, 0xee, HALF);
	transfer(bar, EDU_BUFFER, address + HALF, CMD_TO_RAM);

	if (memcmp(page + HALF, sent, HALF))
		errx(1, "what came back differs");
	for (i = 0; i < HALF; i++)
		if (page[i] != 0xee)
			errx(1, "byte %d outside of the transfer changed", i);
	printf("%d bytes to the device and back at 0x%llx\n", HALF,
	       (unsigned long long)address);
	return 0;
}

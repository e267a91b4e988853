// SPDX-License-Identifier: GPL-2.0-only
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "iommufd.h"
#include "probe.h"

#define MEMORY_SIZE	0x10000
#define RUN_AT		0x1000
#define SPIN_AT		0x1100
#define SPINS_AT	0x2000
#define STOP_AT		0x2004

/* In real mode, with all segments at 0 */
static const unsigned char run_code[] = {
	0xb9, GUEST_FLUSHES, 0x00,	/* mov cx, GUEST_FLUSHES */
	0x0f, 0x09,			/* 1: wbinvd */
	0xe2, 0xfc,			/* loop 1b */
	0xf4,				/* hlt */
};

static const unsigned char spin_code[] = {
	0x0f, 0x09,			/* 1: wbinvd */
	0x66, 0xff, 0x06, 0x00, 0x20,	/* inc dword [SPINS_AT] */
	0x80, 0x3e, 0x04, 0x20, 0x00,	/* cmp byte [STOP_AT], 0 */
	0x74, 0xf2,			/* je 1b */
	0xf4,				/* hlt */
};

static int check(int rc)
{
	return rc < 0 ? -errno : rc;
}

int guest_create(struct guest *guest)
{
	struct kvm_userspace_memory_region region = {
		.memory_size = MEMORY_SIZE,
	};
	struct kvm_create_device device = { .type = KVM_DEV_TYPE_VFIO };
	int rc;

	memset(guest, 0, sizeof(*guest));
	guest->vm = -1;
	guest->vcpu = -1;
	guest->device = -1;
	guest->kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC));
	if (guest->kvm < 0)
		return guest->kvm;
	guest->vm = rc = xioctl(guest->kvm, KVM_CREATE_VM, NULL);
	if (rc < 0)
		goto err_destroy;
	rc = xioctl(guest->vm, KVM_CREATE_DEVICE, &device);
	if (rc < 0)
		goto err_destroy;
	guest->device = device.fd;

	guest->memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (guest->memory == MAP_FAILED) {
		guest->memory = NULL;
		rc = -errno;
		goto err_destroy;
	}
	memcpy(guest->memory + RUN_AT, run_code, sizeof(run_code));
	memcpy(guest->memory + SPIN_AT, spin_code, sizeof(spin_code));
	region.userspace_addr = (uintptr_t)guest->memory;
	rc = xioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &region);
	if (rc < 0)
		goto err_destroy;

	guest->vcpu = rc = xioctl(guest->vm, KVM_CREATE_VCPU, NULL);
	if (rc < 0)
		goto err_destroy;
	guest->run_size = rc = xioctl(guest->kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (rc < 0)
		goto err_destroy;
	guest->run = mmap(NULL, guest->run_size, PROT_READ | PROT_WRITE,
			  MAP_SHARED, guest->vcpu, 0);
	if (guest->run == MAP_FAILED) {
		guest->run = NULL;
		rc = -errno;
		goto err_destroy;
	}
	return 0;

err_destroy:
	guest_destroy(guest);
	return rc;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void guest_close_device(struct guest *guest)
{
	close_fd(&guest->device);
}

void guest_destroy(struct guest *guest)
{
	if (guest->run)
		munmap(guest->run, guest->run_size);
	guest->run = NULL;
	close_fd(&guest->vcpu);
	close_fd(&guest->device);
	close_fd(&guest->vm);
	close_fd(&guest->kvm);
	if (guest->memory)
		munmap(guest->memory, MEMORY_SIZE);
	guest->memory = NULL;
}

const char *guest_impossible(void)
{
	struct guest guest;

	if (guest_create(&guest))
		return "this machine runs no virtual machines";
	guest_destroy(&guest);
	return NULL;
}

static int set_file(struct guest *guest, uint64_t what, int file)
{
	int32_t fd = file;
	struct kvm_device_attr attr = {
		.group = KVM_DEV_VFIO_GROUP,
		.attr = what,
		.addr = (uintptr_t)&fd,
	};

	return xioctl(guest->device, KVM_SET_DEVICE_ATTR, &attr);
}

int guest_add(struct guest *guest, int file)
{
	return set_file(guest, KVM_DEV_VFIO_GROUP_ADD, file);
}

int guest_del(struct guest *guest, int file)
{
	return set_file(guest, KVM_DEV_VFIO_GROUP_DEL, file);
}

static int run_from(struct guest *guest, uint64_t address)
{
	struct kvm_regs regs = { .rip = address, .rflags = 2 };
	struct kvm_sregs sregs;
	int rc;

	rc = xioctl(guest->vcpu, KVM_GET_SREGS, &sregs);
	if (rc)
		return rc;
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	rc = xioctl(guest->vcpu, KVM_SET_SREGS, &sregs);
	if (!rc)
		rc = xioctl(guest->vcpu, KVM_SET_REGS, &regs);
	while (!rc) {
		rc = xioctl(guest->vcpu, KVM_RUN, NULL);
		if (rc == -EINTR)
			rc = 0;
		else if (!rc)
			return guest->run->exit_reason == KVM_EXIT_HLT ?
			       0 : -EPROTO;
	}
	return rc;
}

/*
 * KVM flushes every CPU that the guest has run on since the last flush, so it
 * has to stay on one for a count.
 */
static int stay_on_one_cpu(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	if (cpu < 0)
		return -errno;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return check(sched_setaffinity(0, sizeof(set), &set));
}

long guest_run(struct guest *guest)
{
	cpu_set_t former;
	long before;
	long rc;

	if (sched_getaffinity(0, sizeof(former), &former))
		return -errno;
	rc = stay_on_one_cpu();
	if (rc)
		return rc;
	before = probe_hits(PROBE_FLUSH);
	rc = run_from(guest, RUN_AT);
	if (!rc)
		rc = before < 0 ? before : probe_hits(PROBE_FLUSH) - before;
	sched_setaffinity(0, sizeof(former), &former);
	return rc;
}

int guest_spin(struct guest *guest)
{
	return run_from(guest, SPIN_AT);
}

void guest_stop(struct guest *guest)
{
	__atomic_store_n(guest->memory + STOP_AT, 1, __ATOMIC_SEQ_CST);
}

unsigned int guest_spins(struct guest *guest)
{
	return __atomic_load_n((unsigned int *)(guest->memory + SPINS_AT),
			       __ATOMIC_SEQ_CST);
}

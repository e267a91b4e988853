// SPDX-License-Identifier: GPL-2.0-only
/* Calls that are no ioctl with a structure. All return -errno. */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/pci.h"

/* Where VFIO puts a region in the device file */
#define REGION(_index)	((uint64_t)(_index) << 40)

/* A user who may lock little memory */
#define USER		1000

static int64_t result(int64_t rc)
{
	return rc < 0 ? -errno : rc;
}

/* Marks for the runner, which makes these calls itself. */
int64_t call_fork(struct thread *thread, const uint64_t *args)
{
	return 0;
}

int64_t call_exec(struct thread *thread, const uint64_t *args)
{
	return 0;
}

int64_t call_open(struct thread *thread, const uint64_t *args)
{
	return result(open(args[0] ? "/dev/vfio/vfio" : "/dev/iommu", O_RDWR));
}

int64_t call_open_device(struct thread *thread, const uint64_t *args)
{
	return result(open(thread->state->slots[args[0] % NR_SLOTS].device,
			   O_RDWR));
}

int64_t call_open_group(struct thread *thread, const uint64_t *args)
{
	return result(open(thread->state->slots[args[0] % NR_SLOTS].group,
			   O_RDWR));
}

int64_t call_group_device(struct thread *thread, const uint64_t *args)
{
	const char *name = thread->state->slots[args[1] % NR_SLOTS].name;
	struct place place = struct_place(thread);
	size_t length = strlen(name) + 1;

	memcpy(place.here, name, length < place.room ? length : place.room);
	return result(ioctl(args[0], VFIO_GROUP_GET_DEVICE_FD, place.user));
}

int64_t call_value_ioctl(struct thread *thread, const uint64_t *args)
{
	return result(ioctl(args[0], type_of(thread->call)->request, args[1]));
}

/* Any number, with words of which nobody knows what they mean. */
int64_t call_any_ioctl(struct thread *thread, const uint64_t *args)
{
	struct place place = struct_place(thread);
	uint32_t words[12];
	unsigned int i;

	for (i = 0; i < 12; i++)
		words[i] = i ? args[3 + (i - 1) % 4] : args[2];
	memcpy(place.here, words,
	       sizeof(words) < place.room ? sizeof(words) : place.room);
	return result(ioctl(args[0], args[1], place.user));
}

int64_t call_vm(struct thread *thread, const uint64_t *args)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int64_t vm;

	if (kvm < 0)
		return -errno;
	vm = result(ioctl(kvm, KVM_CREATE_VM, 0));
	close(kvm);
	return vm;
}

int64_t call_eventfd(struct thread *thread, const uint64_t *args)
{
	return result(eventfd(0, EFD_NONBLOCK));
}

int64_t call_close(struct thread *thread, const uint64_t *args)
{
	return result(close(args[0]));
}

int64_t call_dup(struct thread *thread, const uint64_t *args)
{
	return result(dup(args[0]));
}

/* By a socket. In flight, it is nobody's for a moment. */
int64_t call_pass(struct thread *thread, const uint64_t *args)
{
	char data = 0, room[CMSG_SPACE(sizeof(int))] = "";
	struct iovec vector = { .iov_base = &data, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &vector, .msg_iovlen = 1,
		.msg_control = room, .msg_controllen = sizeof(room),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int64_t rc = -ENOMSG;
	int ends[2], file = args[0];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends))
		return -errno;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &file, sizeof(int));
	if (sendmsg(ends[0], &message, 0) < 0) {
		rc = -errno;
	} else if (args[1]) {
		close(file);
		message.msg_controllen = sizeof(room);
		if (recvmsg(ends[1], &message, 0) == 1 &&
		    CMSG_FIRSTHDR(&message)) {
			memcpy(&file, CMSG_DATA(header), sizeof(int));
			rc = file;
		}
	}
	close(ends[0]);
	close(ends[1]);
	return rc;
}

int64_t call_fdinfo(struct thread *thread, const uint64_t *args)
{
	char path[64], text[4096];
	int file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", (int)args[0]);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	while (read(file, text, sizeof(text)) > 0)
		;
	close(file);
	return 0;
}

int64_t call_pread(struct thread *thread, const uint64_t *args)
{
	struct place place = struct_place(thread);

	return result(pread(args[0], (void *)place.user,
			    args[3] % STRUCT_MAX, REGION(args[1]) + args[2]));
}

int64_t call_pwrite(struct thread *thread, const uint64_t *args)
{
	struct place place = struct_place(thread);
	uint64_t value = args[3];

	memcpy(place.here, &value,
	       sizeof(value) < place.room ? sizeof(value) : place.room);
	return result(pwrite(args[0], (void *)place.user, args[4] % 9,
			     REGION(args[1]) + args[2]));
}

/* Starts a transfer of the edu device between its buffer and an IOVA. */
int64_t call_dma(struct thread *thread, const uint64_t *args)
{
	const uint64_t buffer = 0x40000;
	uint32_t from_memory = args[2] & 1;
	struct { uint32_t at, value; } steps[] = {
		{ 0x80, from_memory ? args[1] : buffer },
		{ 0x88, from_memory ? buffer : args[1] },
		{ 0x90, 1024 },
		{ 0x98, from_memory ? 1 : 3 },
	};
	uint16_t command = 7;
	unsigned int i;

	if (pwrite(args[0], &command, sizeof(command),
		   REGION(VFIO_PCI_CONFIG_REGION_INDEX) + 4) < 0)
		return -errno;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (pwrite(args[0], &steps[i].value, 4, steps[i].at) < 0)
			return -errno;
	return 0;
}

/* Programs change the memory of the window only, and no page twice as large. */
static uint64_t in_window(uint64_t at)
{
	return WINDOW_AT + (at - WINDOW_AT) % WINDOW_SIZE;
}

static size_t window_length(uint64_t at, uint64_t length)
{
	uint64_t room = WINDOW_AT + WINDOW_SIZE - in_window(at);

	return length < room ? length : room;
}

int64_t call_mmap(struct thread *thread, const uint64_t *args)
{
	void *at = mmap((void *)(in_window(args[0]) & ~(PAGE - 1)),
			window_length(args[0], args[1]), args[2],
			args[3] | MAP_FIXED, args[4], REGION(args[5]) + args[6]);

	return at == MAP_FAILED ? -errno : (int64_t)at;
}

int64_t call_munmap(struct thread *thread, const uint64_t *args)
{
	return result(munmap((void *)in_window(args[0]),
			     window_length(args[0], args[1])));
}

int64_t call_mremap(struct thread *thread, const uint64_t *args)
{
	void *at = mremap((void *)in_window(args[0]),
			  window_length(args[0], args[1]),
			  window_length(args[3], args[2]),
			  MREMAP_MAYMOVE | MREMAP_FIXED | args[4],
			  (void *)in_window(args[3]));

	return at == MAP_FAILED ? -errno : (int64_t)at;
}

int64_t call_madvise(struct thread *thread, const uint64_t *args)
{
	/* This and MADV_SOFT_OFFLINE take memory from the machine for good. */
	if (args[2] == MADV_HWPOISON || args[2] == 101)
		return -EPERM;
	return result(madvise((void *)in_window(args[0]),
			      window_length(args[0], args[1]), args[2]));
}

int64_t call_mprotect(struct thread *thread, const uint64_t *args)
{
	return result(mprotect((void *)in_window(args[0]),
			       window_length(args[0], args[1]), args[2]));
}

/* Reads or writes without dying of it: it is the kernel that does. */
int64_t call_touch(struct thread *thread, const uint64_t *args)
{
	size_t length = window_length(args[0], args[1]) % (1 << 20);
	char *at = (char *)in_window(args[0]);
	int64_t rc = 0;
	size_t done;
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	for (done = 0; done < length && rc >= 0; done += PAGE) {
		if (!args[2]) {
			rc = write(pipes[1], at + done, 1);
			continue;
		}
		if (write(pipes[1], "", 1) == 1)
			rc = read(pipes[0], at + done, 1);
	}
	rc = result(rc);
	close(pipes[0]);
	close(pipes[1]);
	return rc;
}

int64_t call_memfd(struct thread *thread, const uint64_t *args)
{
	int file = memfd_create("fuzz", args[0] & (MFD_ALLOW_SEALING |
						   MFD_HUGETLB));

	if (file < 0)
		return -errno;
	if (ftruncate(file, args[1] % (2 * WINDOW_SIZE))) {
		close(file);
		return -EINVAL;
	}
	return file;
}

int64_t call_truncate(struct thread *thread, const uint64_t *args)
{
	return result(ftruncate(args[0], args[1] % (2 * WINDOW_SIZE)));
}

int64_t call_fallocate(struct thread *thread, const uint64_t *args)
{
	return result(fallocate(args[0], args[1],
				args[2] % (2 * WINDOW_SIZE),
				args[3] % (2 * WINDOW_SIZE)));
}

int64_t call_seal(struct thread *thread, const uint64_t *args)
{
	return result(fcntl(args[0], F_ADD_SEALS, args[1]));
}

/* From here on the process is a user's, with a limit of its own. */
int64_t call_user(struct thread *thread, const uint64_t *args)
{
	struct rlimit limit = { args[0] % (1 << 26), args[0] % (1 << 26) };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresgid(USER, USER, USER) ||
	    setresuid(USER, USER, USER))
		return -errno;
	return 0;
}

/*
 * Takes a PCI device from its driver and gives it back, in a process of its own that
 * has none of our files: it may wait for those of others to be closed.
 */
int64_t call_unplug(struct thread *thread, const uint64_t *args)
{
	const struct slot *slot = &thread->state->slots[args[0] % NR_SLOTS];
	pid_t pid;

	if (!slot->pci)
		return -ENODEV;
	thread->state->unplugged = true;
	pid = fork();
	if (pid)
		return result(pid > 0 ? 0 : pid);
	setpgid(0, 0);
	close_range(0, ~0U, 0);
	pci_unbind_driver(slot->name);
	pci_bind_driver(slot->name, "vfio-pci");
	_exit(0);
}

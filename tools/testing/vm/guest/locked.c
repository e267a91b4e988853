// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: locked UID...
 *
 * Say how many pages each user has locked, as far as LIMIT. The kernel tells nobody, but
 * charges a user of io_uring who has no CAP_IPC_LOCK for the buffers that he registers
 * to the same account as RLIMIT_MEMLOCK allows for: what it lets him have is what is
 * left of the limit.
 */
#define _GNU_SOURCE
#include <err.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096UL
#define LIMIT	64UL

static void become(uid_t uid)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3] = { };
	const struct rlimit limit = { LIMIT * PAGE, LIMIT * PAGE };

	if (setrlimit(RLIMIT_MEMLOCK, &limit) || setresuid(uid, uid, uid) ||
	    syscall(SYS_capset, &header, caps))
		err(1, "user %u", uid);
}

static int locked_by(uid_t uid)
{
	struct io_uring_params params = { };
	struct iovec buffer = { .iov_len = LIMIT * PAGE };
	int ring;

	become(uid);
	ring = syscall(SYS_io_uring_setup, 1, &params);
	if (ring < 0)
		err(1, "io_uring_setup");
	buffer.iov_base = mmap(NULL, buffer.iov_len, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffer.iov_base == MAP_FAILED ||
	    madvise(buffer.iov_base, buffer.iov_len, MADV_NOHUGEPAGE))
		err(1, "memory");
	while (buffer.iov_len &&
	       syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS,
		       &buffer, 1))
		buffer.iov_len -= PAGE;
	/* At once, which the end of the process would not do. */
	if (buffer.iov_len)
		syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_BUFFERS,
			NULL, 0);
	return LIMIT - buffer.iov_len / PAGE;
}

int main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++) {
		int status;
		pid_t pid;

		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid) {
			printf("locked by %s: %d\n", argv[i],
			       locked_by(atoi(argv[i])));
			exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
	}
	return 0;
}

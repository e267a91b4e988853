// SPDX-License-Identifier: GPL-2.0-only
#include "pass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int pass_files(int socket, const int *fds, size_t count)
{
	char control[CMSG_SPACE(PASS_MAX * sizeof(int))] = {};
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

int pass_receive(int socket, int *fds, size_t count)
{
	char control[CMSG_SPACE(PASS_MAX * sizeof(int))], data;
	struct iovec byte = { .iov_base = &data, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &byte,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_len != CMSG_LEN(count * sizeof(int)))
		return -EPROTO;
	memcpy(fds, CMSG_DATA(header), count * sizeof(int));
	return 0;
}

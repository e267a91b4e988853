// SPDX-License-Identifier: GPL-2.0-only
#include "exec.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "census.h"
#include "iommufd.h"

#define AFTER_EXEC	"IOMMU_TEST_AFTER_EXEC"

static bool is_charged(void)
{
	return census_pinned() != 0 || census_locked() != 0;
}

__attribute__((constructor)) static void after_exec(void)
{
	const char *arguments = getenv(AFTER_EXEC);
	unsigned long long iova, length;
	unsigned int ioas;
	int fd;

	if (!arguments)
		return;
	if (sscanf(arguments, "%d %u %llu %llu", &fd, &ioas, &iova, &length) != 4)
		_exit(3);
	if (is_charged())
		_exit(4);
	if (ioas_unmap(fd, ioas, iova, length, NULL))
		_exit(5);
	_exit(is_charged() ? 6 : 0);
}

int exec_and_unmap(int iommufd, uint32_t ioas, uint64_t iova, uint64_t length)
{
	char arguments[80];

	snprintf(arguments, sizeof(arguments), "%d %u %llu %llu", iommufd, ioas,
		 (unsigned long long)iova, (unsigned long long)length);
	if (fcntl(iommufd, F_SETFD, 0) || setenv(AFTER_EXEC, arguments, 1))
		return 1;
	execl("/proc/self/exe", "exec", NULL);
	return 2;
}

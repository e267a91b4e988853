// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules that all ioctls of /dev/iommu share: sizes, reserved fields,
 * unknown flags and numbers, and whose IDs are valid. No device is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "kselftest_harness.h"
#include "lib/busy.h"
#include "lib/iommufd.h"
#include "lib/memory.h"
#include "lib/type1.h"

#define NOBODY	65534
#define ROOM	16384

struct ioctl_rule {
	const char *name;
	unsigned long number;
	size_t size;
	size_t min_size;
	/* The result when everything but the size is zero, on a fresh file. */
	int zero_result;
};

#define END(_struct, _field) \
	(offsetof(struct _struct, _field) + \
	 sizeof(((struct _struct *)NULL)->_field))
#define RULE(_number, _struct, _last, _result) \
	{ #_number, _number, sizeof(struct _struct), END(_struct, _last), \
	  _result }

static const struct ioctl_rule rules[] = {
	RULE(IOMMU_DESTROY, iommu_destroy, id, -ENOENT),
	RULE(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, out_ioas_id, 0),
	RULE(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas, allowed_iovas,
	     -ENOENT),
	RULE(IOMMU_IOAS_COPY, iommu_ioas_copy, src_iova, -EINVAL),
	RULE(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges,
	     out_iova_alignment, -ENOENT),
	RULE(IOMMU_IOAS_MAP, iommu_ioas_map, iova, -EINVAL),
	RULE(IOMMU_IOAS_UNMAP, iommu_ioas_unmap, length, -ENOENT),
	RULE(IOMMU_OPTION, iommu_option, val64, 0),
	RULE(IOMMU_VFIO_IOAS, iommu_vfio_ioas, __reserved, -ENODEV),
	RULE(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, __reserved, -ENOENT),
	RULE(IOMMU_GET_HW_INFO, iommu_hw_info, __reserved, -ENOENT),
	RULE(IOMMU_HWPT_SET_DIRTY_TRACKING, iommu_hwpt_set_dirty_tracking,
	     __reserved, -ENOENT),
	RULE(IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap, data,
	     -ENOENT),
	RULE(IOMMU_HWPT_INVALIDATE, iommu_hwpt_invalidate, __reserved,
	     -EOPNOTSUPP),
	RULE(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc, out_fault_fd,
	     -EOPNOTSUPP),
	RULE(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, iova, -EINVAL),
	RULE(IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, out_viommu_id,
	     -EOPNOTSUPP),
	RULE(IOMMU_VDEVICE_ALLOC, iommu_vdevice_alloc, virt_id, -EOPNOTSUPP),
	RULE(IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process, __reserved,
	     0),
	RULE(IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc, out_veventq_fd,
	     -EOPNOTSUPP),
	RULE(IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc, length, -EOPNOTSUPP),
};

FIXTURE(ioctls)
{
	int fd;
	/* Zeroed, larger than any argument and than a page. */
	unsigned char *arg;
};

FIXTURE_SETUP(ioctls)
{
	self->fd = iommufd_open();
	ASSERT_GE(self->fd, 0);
	self->arg = memory_anonymous(ROOM);
	ASSERT_NE(NULL, self->arg);
}

FIXTURE_TEARDOWN(ioctls)
{
	munmap(self->arg, ROOM);
	EXPECT_EQ(0, close(self->fd));
}

static int call(int fd, const struct ioctl_rule *rule, unsigned char *arg,
		uint32_t size)
{
	memcpy(arg, &size, sizeof(size));
	return xioctl(fd, rule->number, arg);
}

/* Every ioctl on a file that nothing was done with yet. */
static int call_fresh(const struct ioctl_rule *rule, unsigned char *arg,
		      uint32_t size)
{
	int fd = iommufd_open();
	int rc;

	if (fd < 0)
		return fd;
	rc = call(fd, rule, arg, size);
	close(fd);
	return rc;
}

#define for_each_rule(_rule) \
	for (_rule = rules; _rule < rules + ARRAY_SIZE(rules); _rule++)

/* The node is a misc device that only root and its group may open. */
TEST(node)
{
	struct stat st;

	ASSERT_EQ(0, stat("/dev/iommu", &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0660, st.st_mode & 07777);
	EXPECT_EQ(10, st.st_rdev >> 8 & 0xfff);
}

/* An argument that lacks members which were there from the start. */
TEST_F(ioctls, too_small)
{
	const struct ioctl_rule *rule;

	for_each_rule(rule) {
		memset(self->arg, 0, ROOM);
		EXPECT_EQ(-EINVAL, call(self->fd, rule, self->arg,
					rule->min_size - 1)) {
			TH_LOG("%s", rule->name);
		}
		EXPECT_EQ(-EINVAL, call(self->fd, rule, self->arg, 0)) {
			TH_LOG("%s, size 0", rule->name);
		}
	}
}

/* The full size, the smallest, and larger ones with zeros behind, are equal. */
TEST_F(ioctls, zero_tail)
{
	const struct ioctl_rule *rule;
	size_t i;

	for_each_rule(rule) {
		const size_t sizes[] = {
			rule->min_size, rule->size, rule->size + 1,
			rule->size + 64, 4096, ROOM,
		};

		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			memset(self->arg, 0, ROOM);
			EXPECT_EQ(rule->zero_result,
				  call_fresh(rule, self->arg, sizes[i])) {
				TH_LOG("%s, size %zu", rule->name, sizes[i]);
			}
		}
	}
}

/* A member that this kernel does not know is not zero. */
TEST_F(ioctls, nonzero_tail)
{
	const struct ioctl_rule *rule;
	size_t i;

	for_each_rule(rule) {
		const size_t ends[] = { rule->size + 1, rule->size + 64, ROOM };

		for (i = 0; i < ARRAY_SIZE(ends); i++) {
			memset(self->arg, 0, ROOM);
			self->arg[ends[i] - 1] = 1;
			EXPECT_EQ(-E2BIG, call(self->fd, rule, self->arg,
					       ends[i])) {
				TH_LOG("%s, size %zu", rule->name, ends[i]);
			}
			/* Bytes behind the size do not count. */
			EXPECT_EQ(rule->zero_result,
				  call_fresh(rule, self->arg, ends[i] - 1)) {
				TH_LOG("%s, size %zu", rule->name,
				       ends[i] - 1);
			}
		}
	}
}

/* An argument that is not there, in whole or in its second half. */
TEST_F(ioctls, bad_pointer)
{
	const struct ioctl_rule *rule;
	unsigned char *edge = self->arg + ROOM - 4096;

	ASSERT_EQ(0, munmap(edge, 4096));
	for_each_rule(rule) {
		uint32_t size = rule->size;

		EXPECT_EQ(-EFAULT, xioctl(self->fd, rule->number, NULL)) {
			TH_LOG("%s", rule->name);
		}
		memcpy(edge - sizeof(size), &size, sizeof(size));
		EXPECT_EQ(-EFAULT, xioctl(self->fd, rule->number,
					  edge - sizeof(size))) {
			TH_LOG("%s across the edge", rule->name);
		}
	}
}

/* An answer that cannot be written leaves no object behind. */
TEST_F(ioctls, unwritable_argument)
{
	struct iommu_ioas_alloc *arg = (void *)self->arg;

	arg->size = sizeof(*arg);
	ASSERT_EQ(0, mprotect(self->arg, 4096, PROT_READ));
	EXPECT_EQ(-EFAULT, xioctl(self->fd, IOMMU_IOAS_ALLOC, arg));
	ASSERT_EQ(0, mprotect(self->arg, 4096, PROT_READ | PROT_WRITE));
	/* Allowed only while the file has no object. */
	EXPECT_EQ(0, iommufd_option_set(self->fd, IOMMU_OPTION_RLIMIT_MODE, 0,
					1));
}

/* Numbers that nobody has. */
TEST_F(ioctls, unknown_number)
{
	const unsigned long numbers[] = {
		_IO(IOMMUFD_TYPE, 0x7f),
		_IO(IOMMUFD_TYPE, 0x95),
		_IO(IOMMUFD_TYPE, 0xff),
		_IO('<', IOMMUFD_CMD_IOAS_ALLOC),
		_IOWR(IOMMUFD_TYPE, IOMMUFD_CMD_IOAS_ALLOC,
		      struct iommu_ioas_alloc),
		_IOW(IOMMUFD_TYPE, IOMMUFD_CMD_DESTROY, struct iommu_destroy),
	};
	uint32_t size = 64;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		memset(self->arg, 0, ROOM);
		memcpy(self->arg, &size, sizeof(size));
		EXPECT_EQ(-ENOTTY, xioctl(self->fd, numbers[i], self->arg)) {
			TH_LOG("%#lx", numbers[i]);
		}
	}
}

/* A reserved field that is not zero, whatever else is wrong. */
TEST_F(ioctls, reserved_fields)
{
	static const struct {
		unsigned long number;
		size_t size;
		size_t offset;
	} fields[] = {
#define RESERVED(_number, _struct, _field) \
		{ _number, sizeof(struct _struct), \
		  offsetof(struct _struct, _field) }
		RESERVED(IOMMU_IOAS_IOVA_RANGES, iommu_ioas_iova_ranges,
			 __reserved),
		RESERVED(IOMMU_IOAS_ALLOW_IOVAS, iommu_ioas_allow_iovas,
			 __reserved),
		RESERVED(IOMMU_IOAS_MAP, iommu_ioas_map, __reserved),
		RESERVED(IOMMU_OPTION, iommu_option, __reserved),
		RESERVED(IOMMU_VFIO_IOAS, iommu_vfio_ioas, __reserved),
		RESERVED(IOMMU_HWPT_ALLOC, iommu_hwpt_alloc, __reserved),
		RESERVED(IOMMU_GET_HW_INFO, iommu_hw_info, __reserved[0]),
		RESERVED(IOMMU_GET_HW_INFO, iommu_hw_info, __reserved[2]),
		RESERVED(IOMMU_HWPT_GET_DIRTY_BITMAP,
			 iommu_hwpt_get_dirty_bitmap, __reserved),
		RESERVED(IOMMU_IOAS_CHANGE_PROCESS, iommu_ioas_change_process,
			 __reserved),
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		uint32_t size = fields[i].size;

		memset(self->arg, 0, ROOM);
		memcpy(self->arg, &size, sizeof(size));
		self->arg[fields[i].offset] = 1;
		EXPECT_EQ(-EOPNOTSUPP, xioctl(self->fd, fields[i].number,
					      self->arg)) {
			TH_LOG("%#lx, offset %zu", fields[i].number,
			       fields[i].offset);
		}
	}
}

/* A flag that nobody has defined. */
TEST_F(ioctls, unknown_flags)
{
	static const struct {
		unsigned long number;
		size_t size;
		size_t offset;
		uint32_t first_unknown;
	} flags[] = {
#define FLAGS(_number, _struct, _first) \
		{ _number, sizeof(struct _struct), \
		  offsetof(struct _struct, flags), _first }
		FLAGS(IOMMU_IOAS_ALLOC, iommu_ioas_alloc, 1 << 0),
		FLAGS(IOMMU_IOAS_MAP, iommu_ioas_map, 1 << 3),
		FLAGS(IOMMU_IOAS_MAP_FILE, iommu_ioas_map_file, 1 << 3),
		FLAGS(IOMMU_IOAS_COPY, iommu_ioas_copy, 1 << 3),
		FLAGS(IOMMU_GET_HW_INFO, iommu_hw_info, 1 << 1),
		FLAGS(IOMMU_HWPT_SET_DIRTY_TRACKING,
		      iommu_hwpt_set_dirty_tracking, 1 << 1),
		FLAGS(IOMMU_HWPT_GET_DIRTY_BITMAP, iommu_hwpt_get_dirty_bitmap,
		      1 << 1),
		FLAGS(IOMMU_FAULT_QUEUE_ALLOC, iommu_fault_alloc, 1 << 0),
		FLAGS(IOMMU_VIOMMU_ALLOC, iommu_viommu_alloc, 1 << 0),
		FLAGS(IOMMU_VEVENTQ_ALLOC, iommu_veventq_alloc, 1 << 0),
		FLAGS(IOMMU_HW_QUEUE_ALLOC, iommu_hw_queue_alloc, 1 << 0),
	};
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		const uint32_t bits[] = { flags[i].first_unknown, 1U << 31 };

		for (j = 0; j < ARRAY_SIZE(bits); j++) {
			uint32_t size = flags[i].size;

			memset(self->arg, 0, ROOM);
			memcpy(self->arg, &size, sizeof(size));
			memcpy(self->arg + flags[i].offset, &bits[j],
			       sizeof(bits[j]));
			EXPECT_EQ(-EOPNOTSUPP,
				  xioctl(self->fd, flags[i].number,
					 self->arg)) {
				TH_LOG("%#lx, flag %#x", flags[i].number,
				       bits[j]);
			}
		}
	}
}

/* IDs that do not exist, and were never given out. */
TEST_F(ioctls, missing_ids)
{
	const uint32_t ids[] = { 0, 1000, 0x7fffffff, 0xffffffff };
	struct iommu_iova_range range;
	uint32_t count = 1, ioas, hwpt;
	struct iommu_hw_info info;
	uint64_t iova = 0, value;
	size_t i;

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	ASSERT_EQ(0, ioas_map_at(self->fd, ioas, MAP_RW, self->arg, 4096,
				 0x10000));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(-ENOENT, iommufd_destroy(self->fd, ids[i]));
		EXPECT_EQ(-ENOENT, ioas_ranges(self->fd, ids[i], &range,
					       &count, &value));
		EXPECT_EQ(-ENOENT, ioas_allow(self->fd, ids[i], NULL, 0));
		EXPECT_EQ(-ENOENT, ioas_map(self->fd, ids[i], MAP_RW,
					    self->arg, 4096, &iova));
		EXPECT_EQ(-ENOENT, ioas_copy(self->fd, MAP_RW, ids[i], &iova,
					     ioas, 0x10000, 4096));
		EXPECT_EQ(-ENOENT, ioas_copy(self->fd, MAP_RW, ioas, &iova,
					     ids[i], 0x10000, 4096));
		EXPECT_EQ(-ENOENT, ioas_unmap(self->fd, ids[i], 0x10000, 4096,
					      NULL));
		EXPECT_EQ(-ENOENT,
			  iommufd_option_get(self->fd, IOMMU_OPTION_HUGE_PAGES,
					     ids[i], &value));
		count = ids[i];
		EXPECT_EQ(-ENOENT, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET,
					     &count));
		EXPECT_EQ(-ENOENT, hwpt_alloc(self->fd, 0, ids[i], ioas,
					      &hwpt));
		EXPECT_EQ(-ENOENT, hw_info(self->fd, ids[i], NULL, 0, &info));
	}
}

/* An IOAS is no device. */
TEST_F(ioctls, wrong_type)
{
	struct iommu_hw_info info;
	uint32_t ioas, hwpt;

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	EXPECT_EQ(-ENOENT, hwpt_alloc(self->fd, 0, ioas, ioas, &hwpt));
	EXPECT_EQ(-ENOENT, hw_info(self->fd, ioas, NULL, 0, &info));
}

/* What one file has made, another cannot name. */
TEST_F(ioctls, other_file)
{
	uint32_t ours, theirs[3], id;
	uint64_t iova;
	int fd, i;

	fd = iommufd_open();
	ASSERT_GE(fd, 0);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, ioas_alloc(fd, &theirs[i]));
	id = theirs[2];

	EXPECT_EQ(-ENOENT, ioas_map(self->fd, id, MAP_RW, self->arg, 4096,
				    &iova));
	EXPECT_EQ(-ENOENT, iommufd_destroy(self->fd, id));
	ASSERT_EQ(0, ioas_alloc(self->fd, &ours));
	EXPECT_EQ(-ENOENT, ioas_copy(self->fd, MAP_RW, ours, &iova, id,
				     0x10000, 4096));

	EXPECT_EQ(0, iommufd_destroy(fd, id));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(0, iommufd_destroy(self->fd, ours));
}

/* An object dies once, and with it everything in it. */
TEST_F(ioctls, destroy)
{
	uint32_t ioas;
	int i;

	for (i = 0; i < 1000; i++) {
		ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
		ASSERT_NE(0, ioas);
		ASSERT_EQ(0, ioas_map_at(self->fd, ioas, MAP_RW, self->arg,
					 4096, 0x10000));
		ASSERT_EQ(0, iommufd_destroy(self->fd, ioas));
		ASSERT_EQ(-ENOENT, iommufd_destroy(self->fd, ioas));
		ASSERT_EQ(-ENOENT, ioas_unmap(self->fd, ioas, 0x10000, 4096,
					      NULL));
	}
}

/* No two living objects share an ID. */
TEST_F(ioctls, ids_are_distinct)
{
	uint32_t ids[64];
	int i, j;

	for (i = 0; i < 64; i++) {
		ASSERT_EQ(0, ioas_alloc(self->fd, &ids[i]));
		for (j = 0; j < i; j++)
			ASSERT_NE(ids[j], ids[i]);
	}
	for (i = 0; i < 64; i++)
		EXPECT_EQ(0, iommufd_destroy(self->fd, ids[i]));
}

/* RLIMIT_MODE: of the whole file, before anything is in it. */
TEST_F(ioctls, option_rlimit_mode)
{
	const uint32_t mode = IOMMU_OPTION_RLIMIT_MODE;
	struct iommu_option arg = {
		.size = sizeof(arg),
		.option_id = mode,
		.op = 2,
	};
	uint64_t value = 77;
	uint32_t ioas;

	EXPECT_EQ(0, iommufd_option_get(self->fd, mode, 0, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(-EINVAL, iommufd_option_set(self->fd, mode, 0, 2));
	EXPECT_EQ(-EOPNOTSUPP, iommufd_option_set(self->fd, mode, 1, 1));
	EXPECT_EQ(-EOPNOTSUPP, iommufd_option_get(self->fd, mode, 1, &value));
	EXPECT_EQ(-EOPNOTSUPP, xioctl(self->fd, IOMMU_OPTION, &arg));
	EXPECT_EQ(0, iommufd_option_set(self->fd, mode, 0, 1));
	EXPECT_EQ(0, iommufd_option_get(self->fd, mode, 0, &value));
	EXPECT_EQ(1, value);

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	EXPECT_EQ(-EBUSY, iommufd_option_set(self->fd, mode, 0, 0));
	EXPECT_EQ(0, iommufd_option_get(self->fd, mode, 0, &value));
	EXPECT_EQ(1, value);
	ASSERT_EQ(0, iommufd_destroy(self->fd, ioas));
	EXPECT_EQ(0, iommufd_option_set(self->fd, mode, 0, 0));
}

/* RLIMIT_MODE is not for everybody; reading it is. */
TEST_F(ioctls, option_rlimit_mode_unprivileged)
{
	const uint32_t mode = IOMMU_OPTION_RLIMIT_MODE;
	uint64_t value;

	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	EXPECT_EQ(-EPERM, iommufd_option_set(self->fd, mode, 0, 1));
	EXPECT_EQ(0, iommufd_option_get(self->fd, mode, 0, &value));
	EXPECT_EQ(0, value);
}

/* HUGE_PAGES: of one IOAS. */
TEST_F(ioctls, option_huge_pages)
{
	const uint32_t huge = IOMMU_OPTION_HUGE_PAGES;
	struct iommu_option arg = {
		.size = sizeof(arg),
		.option_id = huge,
		.op = 2,
		.object_id = 1000,
	};
	uint32_t ioas, other;
	uint64_t value;

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	ASSERT_EQ(0, ioas_alloc(self->fd, &other));
	EXPECT_EQ(0, iommufd_option_get(self->fd, huge, ioas, &value));
	EXPECT_EQ(1, value);
	EXPECT_EQ(-EINVAL, iommufd_option_set(self->fd, huge, ioas, 2));
	/* An ID that does not exist is told before an unknown operation */
	EXPECT_EQ(-ENOENT, xioctl(self->fd, IOMMU_OPTION, &arg));
	arg.object_id = ioas;
	EXPECT_EQ(-EOPNOTSUPP, xioctl(self->fd, IOMMU_OPTION, &arg));
	EXPECT_EQ(0, iommufd_option_set(self->fd, huge, ioas, 0));
	EXPECT_EQ(0, iommufd_option_get(self->fd, huge, ioas, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(0, iommufd_option_get(self->fd, huge, other, &value));
	EXPECT_EQ(1, value);
	EXPECT_EQ(0, iommufd_option_set(self->fd, huge, ioas, 1));
	EXPECT_EQ(0, iommufd_option_get(self->fd, huge, ioas, &value));
	EXPECT_EQ(1, value);
}

/* Options that nobody has. */
TEST_F(ioctls, option_unknown)
{
	uint64_t value;
	uint32_t ioas;

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	EXPECT_EQ(-EOPNOTSUPP, iommufd_option_get(self->fd, 2, 0, &value));
	EXPECT_EQ(-EOPNOTSUPP, iommufd_option_set(self->fd, 2, ioas, 0));
	EXPECT_EQ(-EOPNOTSUPP, iommufd_option_get(self->fd, 0xffffffff, 0,
						  &value));
}

/* The IOAS that the ioctls of a container use. */
TEST_F(ioctls, vfio_ioas)
{
	struct iommu_vfio_ioas arg = { .size = sizeof(arg), .op = 3 };
	uint32_t ioas, id = 0;

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	EXPECT_EQ(-EOPNOTSUPP, xioctl(self->fd, IOMMU_VFIO_IOAS, &arg));
	EXPECT_EQ(-ENODEV, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &id));
	id = ioas;
	EXPECT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &id));
	id = 0;
	EXPECT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &id));
	EXPECT_EQ(ioas, id);
	EXPECT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_CLEAR, &id));
	EXPECT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_CLEAR, &id));
	EXPECT_EQ(-ENODEV, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &id));

	/* A destroyed IOAS is no longer the chosen one. */
	id = ioas;
	EXPECT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &id));
	EXPECT_EQ(0, iommufd_destroy(self->fd, ioas));
	EXPECT_EQ(-ENODEV, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &id));
}

/* An IOAS that is destroyed is not the chosen one either while a call is using it. */
TEST_F(ioctls, vfio_ioas_in_use)
{
	struct vfio_iommu_type1_info info = { .argsz = sizeof(info) };
	struct busy busy;
	uint32_t ioas, id;

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	id = ioas;
	ASSERT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &id));
	EXPECT_EQ(0, xioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	EXPECT_EQ(1, container_extension(self->fd, VFIO_UPDATE_VADDR));

	ASSERT_EQ(0, busy_start(&busy, self->fd, ioas));
	EXPECT_EQ(0, iommufd_destroy(self->fd, ioas));
	EXPECT_EQ(-ENODEV, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &id));
	EXPECT_EQ(-ENODEV, xioctl(self->fd, VFIO_IOMMU_GET_INFO, &info));
	EXPECT_EQ(0, container_extension(self->fd, VFIO_UPDATE_VADDR));
	EXPECT_EQ(-ENODEV, container_extension(self->fd, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(0, busy_end(&busy));
	EXPECT_EQ(-ENODEV, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_GET, &id));
}

/* The ioctls of a container that need no device. */
TEST_F(ioctls, container)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = 0x10000,
		.size = 4096,
	};
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)self->arg,
		.iova = 0x10000,
		.size = 4096,
	};
	uint64_t unmapped;
	uint32_t ioas;

	EXPECT_EQ(VFIO_API_VERSION, ioctl(self->fd, VFIO_GET_API_VERSION));
	EXPECT_EQ(1, ioctl(self->fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, ioctl(self->fd, VFIO_CHECK_EXTENSION,
			   VFIO_SPAPR_TCE_IOMMU));
	EXPECT_EQ(0, ioctl(self->fd, VFIO_CHECK_EXTENSION,
			   VFIO_TYPE1_NESTING_IOMMU));
	EXPECT_EQ(-ENODEV, container_extension(self->fd, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(-ENODEV, xioctl(self->fd, VFIO_IOMMU_MAP_DMA, &map));
	EXPECT_EQ(-EINVAL, container_set_iommu(self->fd, 99));
	EXPECT_EQ(-EINVAL, container_set_iommu(self->fd,
					       VFIO_TYPE1_NESTING_IOMMU));
	EXPECT_EQ(-ENODEV, container_set_iommu(self->fd, VFIO_TYPE1v2_IOMMU));

	ASSERT_EQ(0, ioas_alloc(self->fd, &ioas));
	ASSERT_EQ(0, vfio_ioas(self->fd, IOMMU_VFIO_IOAS_SET, &ioas));
	EXPECT_EQ(1, container_extension(self->fd, VFIO_DMA_CC_IOMMU));
	EXPECT_EQ(0, container_set_iommu(self->fd, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(0, container_set_iommu(self->fd, VFIO_TYPE1v2_IOMMU));
	EXPECT_EQ(-EINVAL, container_set_iommu(self->fd, 99));
	EXPECT_EQ(0, xioctl(self->fd, VFIO_IOMMU_MAP_DMA, &map));
	EXPECT_EQ(-EEXIST, xioctl(self->fd, VFIO_IOMMU_MAP_DMA, &map));
	EXPECT_EQ(0, xioctl(self->fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
	EXPECT_EQ(4096, unmap.size);
	EXPECT_EQ(0, ioas_unmap(self->fd, ioas, 0, UINT64_MAX, &unmapped));
	EXPECT_EQ(0, unmapped);
}

TEST_HARNESS_MAIN

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The headers that this is compiled with have the ABI that abi.h says.
 */
#include <stddef.h>

#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "kselftest_harness.h"

struct entry {
	const char *what;
	unsigned long is;
	unsigned long should_be;
};

static const struct entry values[] = {
#define VALUE(_name, _value) \
	{ #_name, (unsigned int)(_name), _value },
#define SIZE(_struct, _bytes)
#define FIELD(_struct, _field, _offset, _bytes)
#include "abi.h"
#undef VALUE
#undef SIZE
};

static const struct entry sizes[] = {
#define VALUE(_name, _value)
#define SIZE(_struct, _bytes) \
	{ #_struct, sizeof(struct _struct), _bytes },
#include "abi.h"
#undef SIZE
#undef FIELD
};

static const struct entry offsets[] = {
#define SIZE(_struct, _bytes)
#define FIELD(_struct, _field, _offset, _bytes) \
	{ #_struct "." #_field, offsetof(struct _struct, _field), _offset },
#include "abi.h"
#undef FIELD
};

static const struct entry field_sizes[] = {
#define FIELD(_struct, _field, _offset, _bytes) \
	{ #_struct "." #_field, sizeof(((struct _struct *)0)->_field), _bytes },
#include "abi.h"
};

static void check(struct __test_metadata *_metadata, const struct entry *entry,
		  size_t count)
{
	for (; count; count--, entry++)
		EXPECT_EQ(entry->should_be, entry->is) {
			TH_LOG("%s", entry->what);
		}
}

/* Ioctl numbers, flags and enumeration constants. */
TEST(numbers)
{
	check(_metadata, values, ARRAY_SIZE(values));
}

/* No structure has grown, shrunk or been padded. */
TEST(structure_sizes)
{
	check(_metadata, sizes, ARRAY_SIZE(sizes));
}

/* Every field is where it should be. */
TEST(field_offsets)
{
	check(_metadata, offsets, ARRAY_SIZE(offsets));
}

/* Every field is as wide as it should be. */
TEST(field_widths)
{
	check(_metadata, field_sizes, ARRAY_SIZE(field_sizes));
}

TEST_HARNESS_MAIN

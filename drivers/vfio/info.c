// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capability chains: what drivers append to the answer of an INFO ioctl.
 *
 * While it is built, a chain links its members by their offset in the buffer;
 * vfio_info_cap_shift() makes that the offset in the user's structure.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "vfio.h"

static struct vfio_info_cap_header *chain_last(struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header *cap = caps->buf;

	while (cap->next)
		cap = (void *)caps->buf + cap->next;
	return cap;
}

struct vfio_info_cap_header *vfio_info_cap_add(struct vfio_info_cap *caps,
					       size_t size, u16 id, u16 version)
{
	struct vfio_info_cap_header *cap;
	size_t offset = caps->size;
	void *buf;

	/* Capabilities hold 64-bit members; the next one must not be skewed */
	size = ALIGN(size, sizeof(u64));

	buf = krealloc(caps->buf, offset + size, GFP_KERNEL);
	if (!buf) {
		kfree(caps->buf);
		caps->buf = NULL;
		caps->size = 0;
		return ERR_PTR(-ENOMEM);
	}

	/* All of it goes to the user, whatever the driver fills in */
	cap = memset(buf + offset, 0, size);
	cap->id = id;
	cap->version = version;

	caps->buf = buf;
	if (offset)
		chain_last(caps)->next = offset;
	caps->size = offset + size;
	return cap;
}

void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset)
{
	struct vfio_info_cap_header *cap = caps->buf;
	u32 next;

	while ((next = cap->next)) {
		cap->next = next + offset;
		cap = (void *)caps->buf + next;
	}
}

int vfio_info_add_capability(struct vfio_info_cap *caps,
			     struct vfio_info_cap_header *cap, size_t size)
{
	struct vfio_info_cap_header *header;

	header = vfio_info_cap_add(caps, size, cap->id, cap->version);
	if (IS_ERR(header))
		return PTR_ERR(header);
	memcpy(header + 1, cap + 1, size - sizeof(*header));
	return 0;
}

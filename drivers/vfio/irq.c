// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of VFIO_DEVICE_SET_IRQS that all drivers need.
 */
#include "vfio.h"

/**
 * vfio_set_irqs_validate_and_prepare - Check the head of a struct vfio_irq_set
 * @hdr: the head, without the data that follows it in user memory
 * @num_irqs: interrupts that the index has
 * @max_irq_type: number of indices
 * @data_size: set to the size of the data; NULL if the caller takes none
 */
int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr, int num_irqs,
				       int max_irq_type, size_t *data_size)
{
	const size_t minsz = offsetofend(struct vfio_irq_set, count);
	const u32 known = VFIO_IRQ_SET_DATA_TYPE_MASK |
			  VFIO_IRQ_SET_ACTION_TYPE_MASK;
	size_t size;

	if (data_size)
		*data_size = 0;

	if (hdr->argsz < minsz || hdr->index >= max_irq_type ||
	    hdr->flags & ~known)
		return -EINVAL;
	if (hdr->start >= num_irqs || hdr->count > num_irqs - hdr->start)
		return -EINVAL;

	switch (hdr->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		return 0;
	case VFIO_IRQ_SET_DATA_BOOL:
		size = sizeof(u8);
		break;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		size = sizeof(s32);
		break;
	default:
		return -EINVAL;
	}

	size *= hdr->count;
	if (!data_size || hdr->argsz - minsz < size)
		return -EINVAL;
	*data_size = size;
	return 0;
}

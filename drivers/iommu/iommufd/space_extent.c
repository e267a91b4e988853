// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which mappings there are in a range, for callers who speak of mappings by their
 * place. The answer may be out of date at once unless the caller keeps others
 * from mapping and unmapping.
 */
#include "space.h"

/**
 * space_extent_next - Find the lowest mapping that touches a range
 * @space: the space
 * @first: first IOVA of the range
 * @last: last IOVA of the range, inclusive
 * @extent: set to where it is
 *
 * Return: false when there is none.
 */
bool space_extent_next(struct space *space, unsigned long first,
		       unsigned long last, struct space_extent *extent)
{
	struct area *area;

	mutex_lock(&space->lock);
	area = range_to_area(iova_tree_first(&space->areas, first, last));
	while (area && !area_is_live(area))
		area = range_to_area(iova_tree_next(&area->range, last));
	if (area)
		*extent = (struct space_extent){
			.first = area->range.first,
			.last = area->range.last,
		};
	mutex_unlock(&space->lock);
	return area;
}

/**
 * space_extent_cut - Does a range begin or end inside a mapping?
 * @space: the space
 * @first: first IOVA of the range
 * @last: last IOVA of the range, inclusive
 */
bool space_extent_cut(struct space *space, unsigned long first,
		      unsigned long last)
{
	struct space_extent extent;

	if (space_extent_next(space, first, first, &extent) &&
	    extent.first < first)
		return true;
	return space_extent_next(space, last, last, &extent) &&
	       extent.last > last;
}

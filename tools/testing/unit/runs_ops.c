// SPDX-License-Identifier: GPL-2.0-only
/*
 * runs.c against a list of what was appended, in which nothing is merged.
 */
#include "shim.h"

#include "ops.h"
#include "runs.h"

#define PIECES	2048

struct piece {
	unsigned long pfn;
	unsigned long count;
	bool by_folio;
};

struct world {
	struct runs runs;
	struct runs_builder builder;
	struct piece piece[PIECES];
	unsigned int nr;
	unsigned long nr_pages;
};

/* Both hold the same frames in the same order; the runs as few as can be. */
static void check_walk(struct world *world)
{
	struct runs_iter iter;
	struct run run = {};
	struct run before = {};
	unsigned long at = 0;
	unsigned long left = 0;
	unsigned int i;

	runs_start(&iter, &world->runs);
	for (i = 0; i < world->nr; i++) {
		unsigned long done = 0;

		while (done < world->piece[i].count) {
			unsigned long step;

			if (!left) {
				CHECK(runs_next(&iter, &run),
				      "ends at page %lu of %lu", at,
				      world->nr_pages);
				CHECK(run.count && run.count <= RUN_MAX_PAGES,
				      "%lu pages", run.count);
				CHECK(before.pfn + before.count != run.pfn ||
				      before.by_folio != run.by_folio ||
				      before.count + world->piece[i].count >
					      RUN_MAX_PAGES || !before.count,
				      "two runs at page %lu could be one", at);
				before = run;
				left = run.count;
			}
			CHECK(run.pfn + run.count - left ==
				      world->piece[i].pfn + done,
			      "page %lu is %#lx, not %#lx", at,
			      run.pfn + run.count - left,
			      world->piece[i].pfn + done);
			CHECK(run.by_folio == world->piece[i].by_folio,
			      "page %lu", at);
			step = min(left, world->piece[i].count - done);
			left -= step;
			done += step;
			at += step;
		}
	}
	CHECK(!left && !runs_next(&iter, &run), "goes on after page %lu", at);
	CHECK(!runs_next(&iter, &run), "starts again at the end");
	CHECK(runs_empty(&world->runs) == !world->nr_pages, "%lu pages",
	      world->nr_pages);
}

/* From a page in the middle of piece @which on */
static void check_seek(struct world *world, unsigned int which, uint64_t where)
{
	unsigned long index = 0;
	struct runs_iter iter;
	unsigned long skip;
	struct run run;
	unsigned int i;

	for (i = 0; i < which; i++)
		index += world->piece[i].count;
	where %= world->piece[which].count;
	skip = runs_seek(&iter, &world->runs, world->nr_pages, index + where);
	CHECK(runs_next(&iter, &run), "nothing at page %lu", index);
	CHECK(skip < run.count && run.pfn + skip ==
		      world->piece[which].pfn + where,
	      "page %lu: %#lx + %lu, not %#lx", index, run.pfn, skip,
	      world->piece[which].pfn + where);
	index -= skip - where;
	do
		index += run.count;
	while (runs_next(&iter, &run));
	CHECK(index == world->nr_pages, "%lu pages, not %lu", index,
	      world->nr_pages);
}

static void begin(struct world *world, unsigned long total)
{
	memset(world, 0, sizeof(*world));
	runs_begin(&world->builder, &world->runs, total);
}

static void end(struct world *world, struct bytes *bytes)
{
	unsigned int i;

	/* It can do without the memory that it wants for this */
	shim_fail = take(bytes, 1) % 2;
	runs_finish(&world->builder);
	shim_fail = 0;
	check_walk(world);
	for (i = 0; world->nr && i < 4; i++)
		check_seek(world, take(bytes, 2) % world->nr, take(bytes, 4));
	runs_free(&world->runs);
	CHECK(runs_empty(&world->runs), "freed");
	CHECK(!shim_allocated, "%lu allocations left", shim_allocated);
	CHECK(shim_largest <= 4096, "%zu bytes at once", shim_largest);
}

static void append(struct world *world, struct bytes *bytes)
{
	unsigned int how = take(bytes, 1);
	struct piece *piece = &world->piece[world->nr];
	const struct piece *before = world->nr ? piece - 1 : NULL;
	int rc;

	piece->count = 1 + how % 4;
	if (how >= 0xf8)
		piece->count = RUN_MAX_PAGES - take(bytes, 1) % 3;
	else if (how >= 0xf0)
		piece->count = 512;
	piece->by_folio = how & 4;
	if (before && how & 0x18)
		piece->pfn = before->pfn + before->count;
	else
		piece->pfn = take(bytes, 5);
	/* Frames above 2^40 do not exist */
	piece->pfn &= (1UL << RUN_PFN_BITS) - 1;
	if (piece->pfn + piece->count >= 1UL << RUN_PFN_BITS)
		piece->pfn = 0;

	shim_fail = how % 16 == 0;
	rc = runs_append(&world->builder, piece->pfn, piece->count,
			 piece->by_folio);
	if (rc) {
		CHECK(rc == -ENOMEM && how % 16 == 0 && !shim_fail, "%d", rc);
		check_walk(world);
		/* Nothing was changed, so it can be tried again */
		rc = runs_append(&world->builder, piece->pfn, piece->count,
				 piece->by_folio);
		CHECK(!rc, "%d", rc);
	}
	shim_fail = 0;
	world->nr_pages += piece->count;
	world->nr++;
}

void ops_run(const uint8_t *data, size_t size)
{
	struct bytes bytes = { data, data + size };
	static struct world world;
	unsigned long total;

	while (bytes.at < bytes.end) {
		/* How many are expected only decides what is allocated */
		total = 1UL << take(&bytes, 1) % 16;
		begin(&world, total);
		do {
			append(&world, &bytes);
			ops_done++;
		} while (bytes.at < bytes.end && world.nr < PIECES &&
			 world.nr_pages < total);
		end(&world, &bytes);
	}
}

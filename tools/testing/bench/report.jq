# SPDX-License-Identifier: GPL-2.0-only
#
# Files of results as the rows of a table in documentation: of all those of the first
# one's caching mode. $style is "rst" for the lines of a csv-table, or "markdown".
include "common";

def cost: if . == null then "" else each | digits end;
def flushes: if . == null or .flushes == null then "" else .flushes | tostring end;
def row: if $style == "rst" then map("\"\(.)\"") | join(", ")
	else "| " + join(" | ") + " |" end;

.[0].caching_mode as $mode |
(map(select(.caching_mode == $mode).results[]) | map(select(.case != "null"))) as $results |
($results | ours) as $ours |
["case", "step", "ours", "target", "type 1", "mainline", "floor",
 "flushes: ours", "type 1", "floor"] as $head |
if $style == "markdown" then ($head | row), ($head | map("---") | row)
else empty end,
($results | group_by(name)[] | by_side as $by | .[0] as $one |
 [$names[0][$one.case] // $one.case, $one.step, ($by.iommufd | cost),
  ($one | target($targets[0]; $ours) | if . then digits else "" end),
  ($by.type1 | cost), ($by.mainline | cost), ($by.floor | cost),
  ($by.iommufd | flushes), ($by.type1 | flushes), ($by.floor | flushes)] | row)

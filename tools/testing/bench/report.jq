# SPDX-License-Identifier: GPL-2.0-only
#
# Files of results as the rows of a table in documentation. $style is "rst" for
# the lines of a csv-table, or "markdown".

def middle: (.instructions // .nanoseconds | sort)[
	.instructions // .nanoseconds | length / 2 | floor];
def digits: if . >= 100 then round
	elif . >= 10 then (. * 10 | round) / 10
	elif . >= 0.1 then (. * 100 | round) / 100
	else (. * 10000 | round) / 10000 end | tostring;
def cost: if . == null then "" else .each // (middle / .count) | digits end;
def flushes: if . == null or .flushes == null then "" else .flushes | tostring end;
def row: if $style == "rst" then map("\"\(.)\"") | join(", ")
	else "| " + join(" | ") + " |" end;

(map(.results[]) | map(select(.case != "null")) |
 group_by("\(.case) \(.step)")) as $steps |
["case", "step", "ours", "type 1", "mainline", "floor", "flushes: ours", "type 1", "floor"] as $head |
if $style == "markdown" then ($head | row), ($head | map("---") | row) else empty end,
($steps[] | (map({ (.side): . }) | add) as $by | .[0] as $one |
 [$names[0][$one.case] // $one.case, $one.step, ($by.iommufd | cost),
  ($by.type1 | cost), ($by.mainline | cost), ($by.floor | cost),
  ($by.iommufd | flushes), ($by.type1 | flushes), ($by.floor | flushes)] | row)

# SPDX-License-Identifier: GPL-2.0-only
#
# Results as lines of a table, with "|" between the columns.
include "common";

def ratio($to): if $to == null or . == null then "-"
	else (each / ($to | each) | digits) end;
def cost: if . == null then "-" else each | digits end;
def flushes: if . == null then "-" else .flushes | tostring end;

(.results | ours) as $ours |
["case", "step", "per", "ours", "spread", "type 1", "ratio", "floor", "ratio",
 "target", "flushes: ours", "type 1", "floor", "bytes kept"],
(.results | group_by(name)[] |
 by_side as $by |
 ($by.iommufd // $by.type1 // $by.floor) as $one |
 ($one | target($targets[0]; $ours)) as $target |
 [$one.case, $one.step, $one.unit, ($by.iommufd | cost),
  ($one | spread | digits) + " %",
  ($by.type1 | cost), ($by.iommufd | ratio($by.type1)),
  ($by.floor | cost), ($by.iommufd | ratio($by.floor)),
  (if $target == null then "-"
   elif $by.iommufd == null or ($one.nanoseconds and $one.case != "l") then
	$target | digits
   elif ($by.iommufd | each) <= $target then "\($target | digits) met"
   else "\($target | digits) missed" end),
  ($by.iommufd | flushes), ($by.type1 | flushes), ($by.floor | flushes),
  ($one | .kept / .count | digits)])
| join("|")

# SPDX-License-Identifier: GPL-2.0-only
#
# Results as lines of a table, with "|" between the columns.

def costs: .instructions // .nanoseconds;
def middle: (costs | sort)[costs | length / 2 | floor];
def each: middle / .count;
def spread: 100 * ((costs | max) - (costs | min)) / ([middle, 1] | max);
def digits: if . >= 100 then round
	elif . >= 10 then (. * 10 | round) / 10
	elif . >= 0.1 then (. * 100 | round) / 100
	else (. * 10000 | round) / 10000 end | tostring;
def ratio($to): if $to == null or . == null then "-"
	else (each / ($to | each) | digits) end;
def cost: if . == null then "-" else each | digits end;
def flushes: if . == null then "-" else .flushes | tostring end;

# What the first thousand of cases i and j cost limits what the last may; two threads
# are to do 1.7 times what one does
def target($by): $targets[0][.case + " " + .step] //
	if (.case == "i" or .case == "j") and (.step | startswith("last-")) then
		$by[.case + " first-" + .step[5:]] | 1.15 * each
	elif .case == "l" and (.step | startswith("2-")) then
		$by["l 1-thread"] | each / 1.7
	else null end;

(.results | map(select(.side == "iommufd") | { "\(.case) \(.step)": . }) |
	add) as $ours |
["case", "step", "per", "ours", "spread", "type 1", "ratio", "floor", "ratio",
 "target", "flushes: ours", "type 1", "floor", "bytes kept"],
(.results | group_by(.case + " " + .step) | sort_by(.[0].case)[] |
 (map({ (.side): . }) | add) as $by |
 ($by.iommufd // $by.type1 // $by.floor) as $one |
 ($one | target($ours)) as $target |
 [$one.case, $one.step, $one.unit, ($by.iommufd | cost),
  ($one | spread | digits) + " %",
  ($by.type1 | cost), ($by.iommufd | ratio($by.type1)),
  ($by.floor | cost), ($by.iommufd | ratio($by.floor)),
  (if $target == null then "-"
   elif $by.iommufd == null or ($one.nanoseconds and $one.case != "l") then $target | digits
   elif ($by.iommufd | each) <= $target then "\($target | digits) met"
   else "\($target | digits) missed" end),
  ($by.iommufd | flushes), ($by.type1 | flushes), ($by.floor | flushes),
  ($one | .kept / .count | digits)])
| join("|")

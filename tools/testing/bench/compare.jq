# SPDX-License-Identifier: GPL-2.0-only

def middle: (.instructions | sort)[.instructions | length / 2 | floor];
def each: middle / .count;
def key: "\(.case) \(.step) \(.side)";
def digits: (. * 100 | round) / 100;

if $old[0].caching_mode != $new[0].caching_mode then
	"worse: measured with caching mode \($old[0].caching_mode) and \($new[0].caching_mode)"
else empty end,
(($old[0].results | map(select(.instructions) | { (key): . }) | add) as $before |
 [$new[0].results[] | select(.instructions and .side == "iommufd") |
  . as $now | $before[key] | select(.) |
  { name: ($now | "\(.case) \(.step)"), unit, old: each, new: ($now | each),
    flushes_old: .flushes, flushes_new: $now.flushes } |
  .percent = 100 * (.new - .old) / .old] |
 if length == 0 then "worse: nothing to compare" else
 (sort_by(-.percent)[] |
  (if .percent > 5 or .flushes_new > .flushes_old then "worse"
  elif .percent < -5 then "better"
  else "same" end) as $word |
  "\($word) \(.name): \(.old | digits) -> \(.new | digits) per \(.unit) (\(.percent | digits) %), flushes \(.flushes_old) -> \(.flushes_new)")
 end)

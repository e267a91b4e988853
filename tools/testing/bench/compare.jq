# SPDX-License-Identifier: GPL-2.0-only
include "common";

def two_digits: (. * 100 | round) / 100;

if $old[0].caching_mode != $new[0].caching_mode then
	"worse: measured with caching mode \($old[0].caching_mode) and \($new[0].caching_mode)"
else empty end,
(($old[0].results | ours) as $before |
 [$new[0].results | ours // {} | .[] | select(.instructions) |
  . as $now | $before[name] | select(.) |
  { name: name, unit, old: each, new: ($now | each),
    flushes_old: .flushes, flushes_new: $now.flushes } |
  .percent = 100 * (.new - .old) / .old] |
 if length == 0 then "worse: nothing to compare" else
 (sort_by(-.percent)[] |
  (if .percent > 5 or .flushes_new > .flushes_old then "worse"
   elif .percent < -5 then "better"
   else "same" end) as $word |
  "\($word) \(.name): \(.old | two_digits) -> \(.new | two_digits) per \(.unit) (\(.percent | two_digits) %), flushes \(.flushes_old) -> \(.flushes_new)")
 end)

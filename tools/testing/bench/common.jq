# SPDX-License-Identifier: GPL-2.0-only
#
# What the scripts know of a result: one step of one case by one side.

def costs: .instructions // .nanoseconds;
def middle: (costs | sort)[costs | length / 2 | floor];
# Recorded figures come as they are.
def each: .each // (middle / .count);
def spread: 100 * ((costs | max) - (costs | min)) / ([middle, 1] | max);
def name: "\(.case) \(.step)";

def digits: if . >= 100 then round
	elif . >= 10 then (. * 10 | round) / 10
	elif . >= 0.1 then (. * 100 | round) / 100
	else (. * 10000 | round) / 10000 end | tostring;

# $ours: our results by name. What the first thousand of cases i and j cost
# limits what the last may; two threads are to do 1.7 times what one does.
def target($targets; $ours): $targets[name] //
	if (.case == "i" or .case == "j") and (.step | startswith("last-")) then
		$ours[.case + " first-" + .step[5:]] |
		if . then 1.15 * each else null end
	elif .case == "l" and (.step | startswith("2-")) then
		$ours["l 1-thread"] | if . then each / 1.7 else null end
	else null end;

def ours: map(select(.side == "iommufd") | { (name): . }) | add;
def by_side: map({ (.side): . }) | add;

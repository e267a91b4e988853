# SPDX-License-Identifier: GPL-2.0-only
#
# Files of results as columns: step, ours, type 1, mainline, floor; "?" where
# there is none.

def middle: (.instructions | sort)[.instructions | length / 2 | floor];
def cost: if . == null then "?" else .each // (middle / .count) end;

map(.results[]) | map(select(.each or .instructions)) |
group_by("\(.case) \(.step)")[] |
select(.[0].case | test("^[a-h]")) |
(map({ (.side): . }) | add) as $by |
"\"\(.[0].case) \(.[0].step)\" \($by.iommufd | cost) \($by.type1 | cost) \($by.mainline | cost) \($by.floor | cost)"

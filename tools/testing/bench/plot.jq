# SPDX-License-Identifier: GPL-2.0-only
#
# Files of results as columns: step, ours, type 1, mainline, floor; "?" where
# there is none.
include "common";

def cost: if . == null then "?" else each end;

map(.results[]) | map(select(.each or .instructions)) | group_by(name)[] |
select(.[0].case | test("^[a-h]")) | by_side as $by |
"\"\(.[0] | name)\" \($by.iommufd | cost) \($by.type1 | cost) \($by.mainline | cost) \($by.floor | cost)"

# SPDX-License-Identifier: GPL-2.0-only
#
# From the addresses of symbols and the executions of blocks (as the plugin
# writes them, sorted together by address) to instructions and calls of each
# function, divided by "per".
#
# Lines: ADDRESS s NAME [MODULE], or ADDRESS b LENGTH EXECUTIONS
$2 == "s" {
	symbol = $4 == "" ? $3 : $3 " " $4
	start = $1
	next
}
{
	name = $1 ~ /^[0-7]/ ? "(user space)" : symbol
	insns[name] += $3 * $4
	if ($1 == start)
		calls[name] += $4
	total += $3 * $4
}
END {
	sort = "sort -rn"
	for (name in insns)
		printf "%14.2f %6.2f%% %12.3f  %s\n", insns[name] / per,
			100 * insns[name] / total, calls[name] / per,
			name | sort
	close(sort)
	printf "%14.2f %6.2f%% %12s  %s\n", total / per, 100, "", "(all)"
}

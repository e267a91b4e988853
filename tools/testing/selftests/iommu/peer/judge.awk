# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v status=N -v bugs=TEXT -f judge.awk EXPECTED RESULTS...
#
# Compare TAP of kselftest programs with a list of tests that fail, and why, and of the
# reasons for which any test may be skipped. Prints TAP. "status" is the machine's,
# "bugs" what its kernel log has.

function result(good, text) {
	print (good ? "ok " : "not ok ") ++number " " text
	bad += !good
}

function end_of_file() {
	if (file != "")
		result(seen == planned, file ": " seen " of " planned " tests ended")
	seen = planned = 0
}

BEGIN { print "TAP version 13" }

# NAME REASON, or "SKIP" REASON
FILENAME == ARGV[1] {
	if ($0 ~ /^#/ || NF == 0)
		next
	name = $1
	sub(/^[^ \t]+[ \t]+/, "")
	if (name == "SKIP")
		may_skip[$0]
	else
		reason[name] = $0
	next
}

FNR == 1 {
	end_of_file()
	file = FILENAME
	sub(/.*\//, "", file)
}

/^1\.\.[0-9]+/ { planned = substr($1, 4) + 0 }

/^ok [0-9]+ / {
	seen++
	if ($0 ~ /# *SKIP/) {
		text = $0
		sub(/.*# *SKIP */, "", text)
		if (text in may_skip)
			result(1, "# SKIP " $3 ": " text)
		else
			result(0, $3 " is skipped, which is not expected: " text)
	} else if ($3 in reason) {
		result(0, $3 " passes, although: " reason[$3])
	} else {
		result(1, $3)
	}
	met[$3]
}

/^not ok [0-9]+ / {
	seen++
	if ($4 in reason)
		result(1, "# SKIP " $4 ": " reason[$4])
	else
		result(0, $4)
	met[$4]
}

END {
	end_of_file()
	for (name in reason)
		if (!(name in met))
			result(0, name " is expected, but there is no such test")
	result(status == 0, "the machine ends with status 0, here " status)
	result(bugs == "", "the kernel log is clean " bugs)
	print "1.." number
	exit bad > 0
}

# SPDX-License-Identifier: GPL-2.0-only
#
# Count the results in a test's output: prints "PASSED FAILED SKIPPED", and to
# the file in the variable "notes" what was skipped and what failed. A test
# that stops before its plan is fulfilled has failed once more.

function note(text) {
	print text >notes
}

{ sub(/\r$/, "") }

/^1\.\.[0-9]+/ {
	planned = substr($1, 4) + 0
	has_plan = 1
	if (planned == 0) {
		skipped++
		sub(/^[^#]*# */, "")
		note("skipped: " $0)
	}
	next
}

# The harness tells the reason of a skip before its result.
/^#  *SKIP / {
	reason = $0
	sub(/^#  *SKIP */, "", reason)
	next
}
/^#  RUN  / {
	name = $3
	reason = ""
	next
}

/^ok / || /^not ok / {
	ran++
	if (/^ok .*# *SKIP/) {
		skipped++
		text = $0
		sub(/.*# *SKIP */, "", text)
		note("skipped: " (name ? name ": " : "") (text ? text : reason))
	} else if (/^ok /) {
		passed++
	} else {
		failed++
		note("failed: " $0)
	}
}

END {
	if (!has_plan || (planned && ran < planned)) {
		failed++
		note("failed: the test ended after " ran + 0 " of " \
			(has_plan ? planned : "an unknown number of") " results")
	}
	print passed + 0, failed + 0, skipped + 0
}

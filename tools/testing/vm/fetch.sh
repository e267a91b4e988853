# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# A package of another Debian suite, for what is in it; nothing is installed.

# fetch_package SUITE PACKAGE DIR [VERSION]: download PACKAGE into DIR, which is
# empty, by package lists that are DIR's own: those of this machine stay as they
# are. Without success prints the reason; VERSION is what the package's version
# has to begin with.
fetch_package() {
	local uri found dir=$3
	local keys=/usr/share/keyrings/debian-archive-keyring.gpg
	local -a apt

	uri=$(mirror)
	mkdir "$dir/lists" "$dir/cache"
	echo "deb [signed-by=$keys] $uri $1 main" >"$dir/sources.list"
	apt=(apt-get -qq -o Dir::Etc::sourcelist="$dir/sources.list"
		-o Dir::Etc::sourceparts=- -o Dir::State::lists="$dir/lists"
		-o Dir::Cache="$dir/cache" -o APT::Sandbox::User="$(id -un)"
		-o Acquire::Languages=none)
	if ! "${apt[@]}" update >&2; then
		echo "no package list of $1 could be fetched"
		return 1
	fi
	found=$("${apt[@]}" --print-uris download "$2" 2>/dev/null |
		awk '{ print $2; exit }')
	if [[ $found != "$2_${4:-}"* ]]; then
		echo "$1 has ${found:-no $2}${4:+, not $4}"
		return 1
	fi
	if ! (cd "$dir" && "${apt[@]}" download "$2" >&2); then
		echo "$found could not be fetched"
		return 1
	fi
}

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ./run deb
#
# Build the Debian packages iommufd-dkms, iommufd-tools and iommufd-dev in
# build/deb, from the files that git knows, and let lintian look at them.
. "$(dirname -- "$0")/../tools/testing/vm/lib.sh"

packages=(debhelper dh-dkms dpkg-dev fakeroot libpci-dev libsmartcols-dev lintian rsync)

case ${1:-} in
'') ;;
-h | --help) manual && exit ;;
*) manual >&2 && exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || :)
	[ "$state" = installed ] || missing+=("$package")
done
mkdir -p "$build/deb"
if [ "${#missing[@]}" -gt 0 ]; then
	say "installing ${missing[*]}"
	{
		as_root apt-get -qq update &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
				-o Dpkg::Use-Pty=0 --no-install-recommends \
				install "${missing[@]}"
	} >"$build/deb/setup.log" 2>&1 || {
		tail -n 20 "$build/deb/setup.log" >&2
		die "installing failed; see build/deb/setup.log"
	}
fi

cd "$top"
stage=$build/deb/source
rm -rf "$stage"
find "$build/deb" -maxdepth 1 -name 'iommufd*' -delete
mkdir -p "$stage"
git ls-files -co --exclude-standard | while IFS= read -r file; do
	[ ! -e "$file" ] || echo "$file"
done | rsync -a --files-from=- . "$stage/"
cp -r packaging/debian "$stage/debian"

(cd "$stage" && dpkg-buildpackage -us -uc -b) >"$build/deb/build.log" 2>&1 || {
	tail -n 30 "$build/deb/build.log" >&2
	die "build failed; see build/deb/build.log"
}
rm -rf "$stage"
# root is who builds in a container, and lintian says so
lintian --fail-on error,warning --allow-root "$build"/deb/*.changes
printf '%s\n' "$build"/deb/*.deb

#!/usr/bin/env bash
# release.sh VERSION FOLDER [OS/ARCH…]: writes the archives of a release, their
# SBOMs and SHA256SUMS to the folder. The build is reproducible.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${1:?usage: release.sh VERSION FOLDER [OS/ARCH…]}
folder=${2:?usage: release.sh VERSION FOLDER [OS/ARCH…]}
shift 2
platforms=("$@")
[ $# -gt 0 ] || platforms=({linux,darwin,windows}/{amd64,arm64})

# The files beside the binary: the README and everything that the documents link to.
documents=(README.md .env.example openapi.yaml Dockerfile compose.yaml docs deploy tests/clients)
# Not part of go.mod; only the release needs this tool.
sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
# The files in archives have the time of the commit, not of the build.
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
umask 022
export CGO_ENABLED=0 TZ=UTC LC_ALL=C
host=$(go env GOHOSTOS)/$(go env GOHOSTARCH)

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pack() { # pack OS NAME: archives the folder NAME
	find "$2" -exec touch --no-dereference --date="@$epoch" {} +
	if [ "$1" = windows ]; then
		rm -f "$folder/$2.zip"
		find "$2" -type f | sort | zip -q -X "$folder/$2.zip" -@
	else
		tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" "$2" |
			gzip -n -9 >"$folder/$2.tar.gz"
	fi
}

copy() { # copy FOLDER: copies the documents that are in the repository, no other files
	local document mode
	git ls-files -z "${documents[@]}" | while IFS= read -r -d '' document; do
		mode=644
		[ ! -x "$document" ] || mode=755
		install -D -m "$mode" "$document" "$1/$document"
	done
}

for platform in "${platforms[@]}"; do
	os=${platform%/*} arch=${platform#*/}
	name=chatkit-rest_${version}_${os}_${arch}
	binary=chatkit-rest
	[ "$os" != windows ] || binary=chatkit-rest.exe
	mkdir -p "$work/$name"
	GOOS=$os GOARCH=$arch go build -tags nomsgpack -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$version" \
		-o "$work/$name/$binary" ./cmd/chatkit-rest
	copy "$work/$name"
	# The SBOM has the modules recorded in the binary. Its timestamp is removed.
	GOOS=${host%/*} GOARCH=${host#*/} go run "$sbom" bin -json -std -noserial -version "$version" \
		-output "$work/sbom.json" "$work/$name/$binary" 2>"$work/sbom.log" || { cat "$work/sbom.log" >&2 && exit 1; }
	sed '/^ *"timestamp": /d' "$work/sbom.json" >"$folder/$name.cdx.json"
	(cd "$work" && pack "$os" "$name")
	echo "$name"
done
cd "$folder"
sha256sum chatkit-rest_"$version"_* >SHA256SUMS

#!/usr/bin/env bash
# Checks the deployment files with the tools of their formats. It runs all checks
# before it fails.
# shellcheck disable=SC2317 # check calls the functions
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.8.1 # as in kubernetes_test.go
kubeconform=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
actionlint=github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
kubernetes=1.37.0

cache=.cache/deploy
python=$cache/python/bin
mkdir -p "$cache"
if ! cmp -s tests/deploy/requirements.txt "$cache/requirements.txt"; then
	rm -rf "$cache/python"
	python3 -m venv "$cache/python" &&
		"$python/pip" install --quiet --disable-pip-version-check --no-deps -r tests/deploy/requirements.txt &&
		cp tests/deploy/requirements.txt "$cache/requirements.txt" || exit
fi

failed=0
check() { # check WHAT COMMAND…
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "ok      $what"
	else
		failed=1
		printf 'FAILED  %s\n%s\n' "$what" "$said"
	fi
}

manifests() {
	go run "$kustomize" build deploy/kubernetes >"$cache/kubernetes.yaml" &&
		"$python/python" tests/deploy/schemas.py "v$kubernetes-local-strict" "$cache/schemas" &&
		go run "$kubeconform" -strict -summary -schema-location "$cache/schemas/{{.ResourceKind}}{{.KindSuffix}}.json" \
			"$cache/kubernetes.yaml" deploy/kubernetes/secret.example.yaml
}

unit() { # in a root of its own, because the unit's program is not installed
	local root
	root=$(mktemp -d) || return
	mkdir -p "$root/usr/local/bin" "$root/etc/systemd/system" "$root/usr/lib/systemd"
	cp -r /usr/lib/systemd/system "$root/usr/lib/systemd/"
	install -m 755 /bin/true "$root/usr/local/bin/chatkit-rest"
	cp deploy/systemd/chatkit-rest.service "$root/etc/systemd/system/"
	local said
	said=$(systemd-analyze verify --root="$root" chatkit-rest.service 2>&1) || { echo "$said" && return 1; }
	! grep chatkit-rest <<<"$said"
	local code=$?
	rm -rf "$root"
	return "$code"
}

check "Dockerfile: hadolint" "$python/hadolint" --failure-threshold info Dockerfile
check "deploy/kubernetes: kustomize, kubeconform with the schemas of $kubernetes" manifests
check "deploy/systemd: systemd-analyze verify" unit
check "deploy/systemd: systemd-analyze security, exposure at most 1.5 of 10" \
	systemd-analyze security --offline=true --threshold=15 deploy/systemd/chatkit-rest.service
check ".github/workflows: actionlint" go run "$actionlint"
check "scripts: shellcheck" shellcheck deploy/*.sh tests/*.sh tests/deploy/*.sh
exit $failed

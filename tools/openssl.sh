#!/bin/sh
# Sees to what the extension is linked with: OpenSSL 3, its header files, and pkg-config, which finds them. As root on
# Debian what is missing is installed; else it says what to install and fails.
set -eu

packages="libssl-dev pkg-config"

found() {
    command -v "${PKG_CONFIG:-pkg-config}" >/dev/null && "${PKG_CONFIG:-pkg-config}" --exists 'openssl >= 3'
}

! found || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> OpenSSL's header files or pkg-config are missing; installing $packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q </dev/null
    # shellcheck disable=SC2086 # a list of words
    apt-get install -q -y --no-install-recommends $packages </dev/null
    ! found || exit 0
fi
echo "OpenSSL 3 with header files, and pkg-config, are needed. On Debian or Ubuntu: apt-get install $packages" >&2
exit 1

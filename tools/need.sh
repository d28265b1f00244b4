#!/bin/bash
# Sees to the programs that the end-to-end tests and the bench run: real servers, proxies and mail clients.
# As root on Debian what is missing is installed, without starting a service; else it says what to install and fails.
set -euo pipefail

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Debian package, then the command (or file) that shows that it is here.
NEEDED="
dovecot-imapd        /usr/lib/dovecot/imap
curl                 curl
openssl              openssl
isync                mbsync
neomutt              neomutt
tmux                 tmux
offlineimap3         offlineimap
spamassassin         /usr/share/doc/spamassassin/examples/sample-spam.txt
nginx-light          nginx
libnginx-mod-mail    /usr/lib/nginx/modules/ngx_mail_module.so
haproxy              haproxy
clamav-daemon        clamd
c-icap               c-icap
libc-icap-mod-virus-scan /etc/c-icap/virus_scan.conf
spamd                spamd
rspamd               rspamd
iproute2             ip
nftables             nft
chromium             chromium
"

missing() {
    while read -r package proof; do
        [ -z "$package" ] || [ -e "$proof" ] || command -v "$proof" >/dev/null || echo "$package"
    done <<<"$NEEDED"
}

GUARD=/usr/sbin/policy-rc.d

# Debian starts a service when its package is installed, unless this file says 101.
guard() {
    [ ! -e "$GUARD" ] || mv "$GUARD" "$GUARD.imap4fast"
    printf '#!/bin/sh\nexit 101\n' >"$GUARD"
    chmod 755 "$GUARD"
    trap unguard EXIT
}

unguard() {
    rm -f "$GUARD"
    [ ! -e "$GUARD.imap4fast" ] || mv "$GUARD.imap4fast" "$GUARD"
}

# Nor shall the machine start at its next boot what was only installed for tests.
disable() {
    local unit
    command -v systemctl >/dev/null || return 0
    for unit in dovecot.service dovecot.socket nginx.service haproxy.service clamav-daemon.service \
        clamav-daemon.socket c-icap.service spamd.service rspamd.service; do
        case " $* " in *" ${unit%%.*}"*) systemctl disable --quiet "$unit" 2>/dev/null || true ;; esac
    done
    # Comes with clamd, and would download signatures.
    case " $* " in *" clamav-daemon "*) systemctl disable --quiet clamav-freshclam.service 2>/dev/null || true ;; esac
}

mapfile -t packages < <(missing)
[ "${#packages[@]}" -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing for the end-to-end tests: ${packages[*]}" >&2
    echo "install them (Debian: apt-get install ${packages[*]}) or run this as root on Debian" >&2
    exit 1
fi
echo "==> installing ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
guard
apt-get update -q </dev/null
apt-get install -q -y --no-install-recommends "${packages[@]}" </dev/null
disable "${packages[@]}"
mapfile -t packages < <(missing)
[ "${#packages[@]}" -eq 0 ] || { echo "still missing: ${packages[*]}" >&2; exit 1; }

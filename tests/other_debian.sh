#!/bin/sh
# The tests in the other supported release of Debian: 13 (Python 3.13) on a 12, 12 (Python 3.11)
# on a 13. A root of its own is made once, in var/debian, by debootstrap and from the mirror that
# apt uses here; in it runs what a newcomer would run, `make test`, on a copy of this tree.
# With TEST_DATABASE_URL, on that PostgreSQL too: the network is this machine's. There is no
# browser in it, and at the end tests/run.sh says so.
set -eu
cd "$(dirname "$0")/.."

[ "$(id -u)" = 0 ] || { echo "This makes a root and enters it: run it as root." >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "apt install debootstrap" >&2; exit 1; }
here=$(. /etc/os-release && echo "$VERSION_CODENAME")
case $here in
    bookworm) other=trixie ;;
    trixie) other=bookworm ;;
    *) echo "This is neither Debian 12 nor 13." >&2; exit 1 ;;
esac
root=var/debian/$other

if [ ! -e "$root/ready" ]; then
    mirror=$(apt-get indextargets --format '$(SITE)' "Created-By: Packages" "Release: $here" |
        head -n 1)
    echo "Making $root from $mirror ..."
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase --include=ca-certificates,curl,make,python3-venv \
        "$other" "$root" "$mirror" >"$root.log"
    touch "$root/ready"
fi

# How this machine reaches the network and whom it trusts there.
cp /etc/resolv.conf /etc/hosts "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

# The tree as it is, without what was deleted since the last time; the installed packages stay.
mkdir -p "$root/product"
find "$root/product" -mindepth 1 -maxdepth 1 ! -name .venv ! -name var -exec rm -rf {} +
tar --create --exclude-vcs --exclude=./var --exclude=./.venv --exclude=./.env \
    --exclude='.*_cache' --exclude=__pycache__ . | tar --extract --directory "$root/product"

# The mounts are this command's own: they end with it.
exec unshare --mount sh -euc '
    mount -t proc proc "$0/proc"
    mount --bind /dev/shm "$0/dev/shm"
    exec chroot "$0" env --ignore-environment \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        TEST_DATABASE_URL="${TEST_DATABASE_URL:-}" ARGS="${ARGS:-}" make --directory=/product test
' "$root"

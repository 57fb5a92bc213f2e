#!/bin/sh
# Makes a nats-server that is new enough available, and prints the path of its binary on stdout.
#
#   deploy/get-nats-server.sh [DIR]        DIR: where to keep it; default .cache/nats-server in this project
#
# It takes the first of these that is new enough:
#   1. $LIVEHOOK_NATS_SERVER          2. nats-server on PATH          3. DIR/nats-server, from an earlier run
#   4. macOS with Homebrew:  brew install nats-server
#   5. Debian, Ubuntu:       the package of a newer suite, unpacked into DIR. Mirror and keyring are the machine's
#                            own, apt keeps its state below DIR for the while: nothing else on the machine changes,
#                            and it needs no root.
# What it does is said on stderr. Exit code 1: none could be had, and the last line says what to do.

set -eu

wanted=2.10.27 # older ones ignore consumer filters and options of a JetStream stream without a word

say() { printf 'nats-server: %s\n' "$*" >&2; }
fail() {
    say "$1"
    say "$2"
    exit 1
}

# Prints the version of a binary: 2.10.27. Nothing when it is none.
version_of() { "$1" --version 2>/dev/null | sed -n 's/^nats-server: v\{0,1\}\([0-9][0-9.]*\).*/\1/p'; }

# Whether version $1 is at least $2, part by part.
at_least() {
    awk -v found="$1" -v wanted="$2" 'BEGIN {
        split(found, f, "."); split(wanted, w, ".")
        for (i = 1; i <= 3; i++) if (f[i] + 0 != w[i] + 0) exit !(f[i] + 0 > w[i] + 0)
    }'
}

# Prints the path and ends when the binary is new enough.
use_if_new_enough() {
    [ -x "$1" ] || return 0
    found=$(version_of "$1")
    if [ -n "$found" ] && at_least "$found" "$wanted"; then
        say "using $1, version $found ($2)"
        printf '%s\n' "$1"
        exit 0
    fi
    say "$1 ($2) is ${found:-no nats-server}, $wanted or newer is needed"
}

# The first mirror of this release in the machine's own source list, and the keyring it is signed with.
# Prints two lines; the second one may be empty.
own_mirror() {
    codename=$1
    for list in /etc/apt/sources.list.d/*.sources; do
        [ -f "$list" ] || continue
        awk -v codename="$codename" '
            function flush() {
                if (!done && uri != "" && types ~ /deb/ && suites ~ ("(^| )" codename "( |$)")) { print uri; print keyring; done = 1 }
                uri = types = suites = keyring = ""
            }
            /^[ \t]*#/ { next }
            /^[ \t]*$/ { flush(); next }
            tolower($1) == "uris:" { uri = $2 }
            tolower($1) == "types:" { types = $0 }
            tolower($1) == "suites:" { suites = $0 }
            tolower($1) == "signed-by:" && $2 ~ /^\// { keyring = $2 }
            END { flush() }' "$list"
    done
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$list" ] || continue
        awk -v codename="$codename" '
            $1 == "deb" {
                keyring = ""
                if (match($0, /signed-by=[^] ,]*/)) keyring = substr($0, RSTART + 10, RLENGTH - 10)
                sub(/^deb[ \t]+(\[[^]]*\][ \t]+)?/, "")
                if ($2 == codename) { print $1; print keyring; exit }
            }' "$list"
    done
}

from_newer_suite() {
    dir=$1
    # shellcheck source=/dev/null
    . /etc/os-release
    case "${ID:-} ${ID_LIKE:-}" in
        ubuntu*) suite=resolute component=universe keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg ;;
        debian*) suite=trixie component=main keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;;
        *) return 1 ;;
    esac
    for tool in apt-get apt-config dpkg-deb; do
        command -v "$tool" >/dev/null || return 1
    done
    mirror_and_keyring=$(own_mirror "${VERSION_CODENAME:-}" | head -n 2)
    mirror=$(printf '%s\n' "$mirror_and_keyring" | sed -n 1p)
    own_keyring=$(printf '%s\n' "$mirror_and_keyring" | sed -n 2p)
    [ -n "$own_keyring" ] && keyring=$own_keyring
    if [ -z "$mirror" ]; then
        say "no mirror of ${VERSION_CODENAME:-this release} in the source lists below /etc/apt"
        return 1
    fi

    say "taking the package of the suite '$suite' from this machine's own mirror into $dir (once, about 20 MB)"
    apt=$dir/apt
    rm -rf "$apt"
    mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$apt/unpacked"
    printf 'deb [signed-by=%s] %s %s %s\n' "$keyring" "$mirror" "$suite" "$component" >"$apt/sources.list"
    {
        # Proxies and time limits of this machine hold; its hooks and its other lists do not.
        apt-config dump | grep '^Acquire::' || true
        cat <<END
Acquire::Languages "none";
APT::Sandbox::User "$(id -un)";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "$apt/state";
Dir::State::status "/dev/null";
Dir::Cache "$apt/cache";
END
    } >"$apt/apt.conf"
    (
        cd "$apt"
        export APT_CONFIG="$apt/apt.conf"
        apt-get -qq update && apt-get -qq download nats-server && dpkg-deb -x nats-server_*.deb unpacked
    ) >&2 || return 1
    # Moved, so that a run that was cut short leaves nothing that looks whole.
    mv "$apt/unpacked/usr/sbin/nats-server" "$dir/nats-server" 2>/dev/null ||
        mv "$apt/unpacked/usr/bin/nats-server" "$dir/nats-server" || return 1
    rm -rf "$apt"
}

project=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
dir=${1:-$project/.cache/nats-server}

[ -n "${LIVEHOOK_NATS_SERVER:-}" ] && use_if_new_enough "$LIVEHOOK_NATS_SERVER" "LIVEHOOK_NATS_SERVER"
on_path=$(command -v nats-server || true)
[ -n "$on_path" ] && use_if_new_enough "$on_path" "on PATH"
use_if_new_enough "$dir/nats-server" "taken earlier"

remedy="install nats-server $wanted or newer (https://docs.nats.io/running-a-nats-service/introduction/installation) and put it on PATH, or name it in LIVEHOOK_NATS_SERVER"
case "$(uname -s)" in
    Darwin)
        command -v brew >/dev/null || fail "none is installed, and there is no Homebrew" "$remedy"
        say "brew install nats-server"
        brew install nats-server >&2 || fail "Homebrew could not install it" "$remedy"
        use_if_new_enough "$(brew --prefix)/bin/nats-server" "Homebrew"
        ;;
    Linux)
        mkdir -p "$dir"
        dir=$(CDPATH='' cd -- "$dir" && pwd)
        from_newer_suite "$dir" || fail "none is installed, and a newer package could not be had from this machine's mirror" "$remedy"
        use_if_new_enough "$dir/nats-server" "just taken"
        ;;
esac
fail "none could be had" "$remedy"

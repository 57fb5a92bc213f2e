#!/usr/bin/env bash
# deploy/tools.sh TOOL: makes sure that a tool is there and prints where (stdout); what it did goes to stderr.
#
#   rust     rustfmt and clippy beside cargo
#   nats     nats-server, 2.10.27 or newer
#   python   a Python with tests/consumer/requirements.txt, in .cache/venv
#   node     node, with the modules of tests/asyncapi and tests/browser
#   chromium a Chromium, or a Chrome that is there
#   wrk      the load generator of `make bench`
#
# Only Rust is expected on a fresh machine. System packages are installed by apt-get as root and by brew on macOS;
# where neither is possible, the script says what to install and fails.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cache=$root/.cache

say() { printf 'tools: %s\n' "$*" >&2; }
give_up() { say "$*"; exit 1; }
have() { type -P "$1" > /dev/null; } # -P: the functions below bear the names of tools

# install WHAT APT_PACKAGES BREW_PACKAGE
install() {
    if have apt-get && [ "$(id -u)" = 0 ]; then
        say "installing $2 with apt-get"
        # shellcheck disable=SC2086
        { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2 ||
            { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2; }
        } > "$cache/apt.log" 2>&1 || give_up "apt-get could not install $2: see $cache/apt.log"
    elif have brew; then
        say "installing $3 with brew"
        brew install "$3" >&2
    elif have apt-get; then
        give_up "$1 is missing: run 'sudo apt-get install $2' and try again"
    else
        give_up "$1 is missing: install it with your package manager and try again"
    fi
}

rust() {
    have cargo || give_up "cargo is missing: install Rust with rustup and try again"
    for component in fmt clippy; do
        cargo "$component" --version > /dev/null 2>&1 && continue
        name=${component/fmt/rustfmt}
        have rustup || give_up "$name is missing: install it with your Rust toolchain and try again"
        say "adding $name with rustup"
        rustup component add "$name" >&2
    done
    type -P cargo
}

nats() { "$root/deploy/get-nats-server.sh"; }

python() {
    local venv=$cache/venv wanted=$root/tests/consumer/requirements.txt
    if ! cmp -s "$wanted" "$venv/installed.txt"; then
        have python3 || install python3 "python3 python3-venv" python
        say "making a Python environment in .cache/venv"
        rm -rf "$venv"
        if ! python3 -m venv "$venv" > "$cache/venv.log" 2>&1; then
            rm -rf "$venv"
            if ! python3 -m virtualenv "$venv" >> "$cache/venv.log" 2>&1; then
                rm -rf "$venv"
                install "Python's venv module" python3-venv python
                python3 -m venv "$venv" >> "$cache/venv.log" 2>&1 || give_up "python3 -m venv failed: see $cache/venv.log"
            fi
        fi
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" >&2
        cp "$wanted" "$venv/installed.txt"
    fi
    printf '%s\n' "$venv/bin/python"
}

# modules FOLDER: what its package-lock.json names, and no script of it is run.
modules() {
    local folder=$root/$1
    cmp -s "$folder/package-lock.json" "$folder/node_modules/installed.json" && return
    say "installing the modules of $1 with npm"
    (cd "$folder" && npm ci --no-audit --no-fund --ignore-scripts) > "$cache/npm.log" 2>&1 ||
        give_up "npm ci failed in $1: see $cache/npm.log"
    cp "$folder/package-lock.json" "$folder/node_modules/installed.json"
}

node() {
    { have node && have npm; } || install "Node.js with npm" "nodejs npm" node
    modules tests/asyncapi
    modules tests/browser
    type -P node
}

chromium() {
    local mac="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" name
    for name in chromium chromium-browser google-chrome "$mac"; do
        [ -x "$(type -P "$name")" ] && { type -P "$name"; return; }
    done
    # brew has it as an application only.
    have apt-get || give_up "no Chromium or Chrome is here: install one"
    install Chromium chromium chromium
    type -P chromium
}

wrk() {
    have wrk || install wrk wrk wrk
    type -P wrk
}

mkdir -p "$cache"
case "${1:-}" in
    rust | nats | python | node | chromium | wrk) "$1" ;;
    *) give_up "unknown tool '${1:-}': rust, nats, python, node, chromium or wrk" ;;
esac

#!/usr/bin/env bash
# Everything that must hold before a change is taken: `make test`.
#
# Each step prints its output, its time and its count. A step counts the tests it names, or itself as one. Steps that
# need the build are not run when the build fails, and count as failed. The last line is "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."

# Where rustup puts cargo; a shell that reads no profile does not look there.
export PATH=$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin

work=$(mktemp -d)
trap 'rm -rf "$work"; [ -e "${LIVEHOOK_REMAINS:-}/hits" ] || rm -rf "${LIVEHOOK_REMAINS:-}"' EXIT
# Tests that cannot run on this machine write their reason here: skipped, but never silently.
export LIVEHOOK_SKIPPED=$work/skipped
: > "$LIVEHOOK_SKIPPED"
# All that the tests leave behind, to be searched for their secrets at the end; kept when one is found.
LIVEHOOK_REMAINS=${CARGO_TARGET_DIR:-$PWD/target}/remains
export LIVEHOOK_REMAINS
rm -rf "$LIVEHOOK_REMAINS"
mkdir -p "$LIVEHOOK_REMAINS"
passed=0 failed=0 summary=

# The sum over the lines with which cargo test, nextest and our scripts count.
count() { # FILE FIELD
    sed -n \
        -e 's/^test result: .* \([0-9][0-9]*\) passed; \([0-9][0-9]*\) failed;.*/\1 \2/p' \
        -e 's/^ *Summary \[.*: \([0-9][0-9]*\) passed.* \([0-9][0-9]*\) failed.*/\1 \2/p' -e t \
        -e 's/^ *Summary \[.*: \([0-9][0-9]*\) passed.*/\1 0/p' \
        -e 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' "$1" |
        awk -v field="$2" '{ sum += $field } END { print sum + 0 }'
}

# step NAME COMMAND...: runs it, counts it; returns its exit code.
step() {
    local name=$1 began=$SECONDS code good bad
    shift
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee "$work/output"
    code=${PIPESTATUS[0]}
    cp "$work/output" "$LIVEHOOK_REMAINS/output of $name"
    good=$(count "$work/output" 1) bad=$(count "$work/output" 2)
    if [ "$code" = 0 ] && [ "$bad" = 0 ]; then
        [ "$good" != 0 ] || good=1
    elif [ "$bad" = 0 ]; then
        bad=1
    fi
    note "$name" "$good" "$bad" "$((SECONDS - began)) s"
    return "$code"
}

note() { # NAME PASSED FAILED TIME
    passed=$((passed + $2)) failed=$((failed + $3))
    summary+=$(printf '%-12s %5s passed %4s failed %8s' "$@")$'\n'
}

tests() {
    if cargo nextest --version > /dev/null 2>&1; then
        cargo nextest run --config-file tests/nextest.toml --no-fail-fast
        local code=$?
        # What passing tests have printed.
        cp target/nextest/default/junit.xml "$LIVEHOOK_REMAINS"
        [ "$code" = 0 ] && cargo test --doc
    else
        cargo test --no-fail-fast
    fi
}

consumer() { "$python" tests/consumer/gate.py; }
questions() { deploy/tools.sh node > /dev/null; "$python" tests/consumer/questions.py; }
asyncapi() { deploy/tools.sh node > /dev/null && npm --prefix tests/asyncapi --silent test; }
browser() {
    local chromium
    if ! chromium=$(deploy/tools.sh chromium); then
        # Debian has one; elsewhere it is the person's own business which browser they have.
        [ "$(uname)" != Linux ] || return 1
        echo "browser: no Chromium or Chrome on this machine" >> "$LIVEHOOK_SKIPPED"
        return 0
    fi
    deploy/tools.sh node > /dev/null && LIVEHOOK_CHROMIUM=$chromium npm --prefix tests/browser --silent test
}
canaries() {
    local search=canary::remains::no_secret_is_in_what_all_tests_leave
    cargo test --test it "$search" -- --exact --ignored --nocapture 2>&1 | tee "$work/search"
    [ "$(count "$work/search" 1)" = 1 ] && return
    touch "$LIVEHOOK_REMAINS/hits"
    echo "what was searched is kept in $LIVEHOOK_REMAINS"
    return 1
}
documentation() { RUSTDOCFLAGS='-D warnings' cargo doc --no-deps; }

export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
tool() { # NAME: where it is; without it nothing can be said about the tree
    deploy/tools.sh "$1" || { printf '0 passed, 1 failed\n' >&2; exit 1; }
}

tool rust > /dev/null
LIVEHOOK_NATS_SERVER=$(tool nats) || exit 1
export LIVEHOOK_NATS_SERVER
python=$(tool python) || exit 1

step format cargo fmt --check
step lint cargo clippy --all-targets -- -D warnings
if step build cargo test --no-run; then
    step tests tests
    step consumer consumer
    step questions questions
    step browser browser
    step canaries canaries
else
    note tests 0 1 'not run'
    note consumer 0 1 'not run'
    note questions 0 1 'not run'
    note browser 0 1 'not run'
    note canaries 0 1 'not run'
fi
step docs documentation
step asyncapi asyncapi

skipped=$(wc -l < "$LIVEHOOK_SKIPPED" | tr -d ' ')
passed=$((passed - skipped)) # their harness counts them as passed
printf '\n%s' "$summary"
if [ "$skipped" != 0 ]; then
    printf '\n%s skipped on this machine:\n' "$skipped"
    sed 's/^/  /' "$LIVEHOOK_SKIPPED"
fi
printf '\nin %s s\n%s passed, %s failed\n' "$SECONDS" "$passed" "$failed"
[ "$failed" = 0 ]

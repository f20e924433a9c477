#!/bin/sh
# Run the tests: on SQLite, and again on PostgreSQL when TEST_DATABASE_URL says where. Browser
# tests run when there is a Chromium. What could not run is told loudly at the end; with
# REQUIRE_BROWSER=1 or REQUIRE_POSTGRESQL=1 it is a failure instead, before anything runs.
set -eu
cd "$(dirname "$0")/.."

postgresql=${TEST_DATABASE_URL:-}
unset TEST_DATABASE_URL
left_out=""
failed=0

leave_out() { # what, how to get it, 1 if it is required
    if [ "$3" = 1 ]; then
        printf 'Cannot run %s: %s\n' "$1" "$2" >&2
        exit 1
    fi
    left_out="$left_out
NOT RUN: $1. To run them: $2"
}

run() { # database, pytest's arguments
    printf '\n=== Tests on %s ===\n' "$1"
    shift
    .venv/bin/python -m pytest "$@"
}

if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
    leave_out "the browser tests" "apt install chromium" "${REQUIRE_BROWSER:-0}"
    set -- -m "not browser" "$@"
fi
if [ -z "$postgresql" ]; then
    leave_out "the tests on PostgreSQL" \
        "set TEST_DATABASE_URL=postgresql://user:password@host:5432/name" \
        "${REQUIRE_POSTGRESQL:-0}"
fi

# Both at once, since each waits half of its time; one after the other in what they print.
if [ -n "$postgresql" ]; then
    mkdir -p var
    (
        export TEST_DATABASE_URL="$postgresql"
        run PostgreSQL "$@" --output=var/browser-failures-postgresql
    ) >var/tests-on-postgresql.log 2>&1 &
    on_postgresql=$!
    trap 'kill "$on_postgresql" 2>/dev/null || true' INT TERM
fi
run SQLite "$@" || failed=1
if [ -n "$postgresql" ]; then
    wait "$on_postgresql" || failed=1
    cat var/tests-on-postgresql.log
fi

if [ -n "$left_out" ]; then
    printf '\n%s\n%s\n%s\n' "$(printf '%080d' 0 | tr 0 '*')" "${left_out#?}" \
        "$(printf '%080d' 0 | tr 0 '*')"
fi
exit "$failed"

#!/bin/sh
# Run the tests, layer by layer. What a test promises does not hang on the database unless SQL,
# locks, constraints or migrations are in it, so only that runs twice. All go by folder: a new test
# runs where its folder does (docs/decisions/0014-layers-of-tests.md).
#   SQLite      everything but the browser
#   PostgreSQL  what meets the database, where TEST_DATABASE_URL says one is
#   browser     on SQLite, where there is a Chromium
# What could not run is told loudly at the end; with REQUIRE_BROWSER=1, REQUIRE_POSTGRESQL=1 or
# REQUIRE_SERVERS=1 it is a failure instead, before anything runs. Arguments are options of pytest,
# as -k or -x.
set -eu
cd "$(dirname "$0")/.."

# Left out: rooms that keep no data, the demo's content (`make demo` keeps it in SQLite, and the scan
# seeds it on PostgreSQL), the proof that a broken step is noticed, and pages, which show what
# `routines` has found; what only PostgreSQL refuses is sent to all of them by test_odd_input.py.
on_postgresql="tests/routines tests/server tests/dashboard/sign_in tests/dashboard/history
    tests/dashboard/test_query_counts.py tests/dashboard/test_canary.py
    tests/dashboard/test_odd_input.py tests/dashboard/api/test_access.py
    --ignore=tests/routines/values --ignore=tests/routines/text_templates
    --ignore=tests/routines/wire --ignore=tests/routines/fire_api
    --ignore=tests/routines/practice_api --ignore=tests/routines/demo
    --ignore=tests/routines/runs/life/test_mutants.py --ignore=tests/server/test_proxies.py
    --ignore=tests/server/test_starter.py --ignore=tests/server/test_serve.py
    --ignore=tests/server/test_demo.py"

# What is compiled is kept: else each process would rewrite the asserts of all tests again.
unset PYTHONDONTWRITEBYTECODE

postgresql=${TEST_DATABASE_URL:-}
unset TEST_DATABASE_URL
left_out=""
failed=0
ran=0

leave_out() { # what, how to get it, 1 if it is required
    if [ "$3" = 1 ]; then
        printf 'Cannot run %s: %s\n' "$1" "$2" >&2
        exit 1
    fi
    left_out="$left_out
NOT RUN: $1. To run them: $2"
}

run() { # layer, pytest's arguments
    printf '\n=== Tests: %s ===\n' "$1"
    shift
    status=0
    .venv/bin/python -m pytest --durations=30 "$@" || status=$?
    case $status in
        0) ran=1 ;;
        5) echo "None of these in this layer." ;; # as -k asked
        *) failed=1 ;;
    esac
}

browser=1
if ! command -v chromium >/dev/null && ! command -v google-chrome >/dev/null; then
    browser=0
    leave_out "the browser tests" "apt install chromium" "${REQUIRE_BROWSER:-0}"
fi
if [ -z "$postgresql" ]; then
    leave_out "the tests on PostgreSQL" \
        "set TEST_DATABASE_URL=postgresql://user:password@host:5432/name" \
        "${REQUIRE_POSTGRESQL:-0}"
fi
# Beside the product: the proxies and poolers that companies put there (tests/daemons.py).
for program in tinyproxy nginx haproxy pgbouncer; do
    if ! PATH="$PATH:/usr/sbin" command -v $program >/dev/null; then
        leave_out "the tests with $program" "apt install $program" "${REQUIRE_SERVERS:-0}"
    fi
done
# The Connect tab gives text for them, and the tests run it (tests/server/test_connect.py).
if ! command -v node >/dev/null || ! command -v curl >/dev/null; then
    leave_out "some texts of the Connect tab" "apt install curl nodejs" "${REQUIRE_SERVERS:-0}"
fi
# Two hosts are network namespaces (tests/server/hosts.py).
if ! { unshare --net true && PATH="$PATH:/usr/sbin" command -v ip; } >/dev/null 2>&1; then
    leave_out "the test with two hosts" "be root, apt install iproute2" "${REQUIRE_SERVERS:-0}"
fi

# Two processes for each core: many tests wait for a socket, a process or a moment. A browser has
# processes of its own, so one more than there are cores is enough.
processes=$(($(nproc) * 2))
browsers=$(($(nproc) + 1))
# What shares a filled database goes to one process, and the order stays: real commits come last.
spread="--dist loadgroup --no-loadscope-reorder"
# shellcheck disable=SC2086 # several words
run SQLite "$@" -m "not browser" -n $processes $spread --output=var/no-browser \
    --ignore=tests/server/test_pgbouncer.py # which stands in front of PostgreSQL
if [ -n "$postgresql" ]; then
    export TEST_DATABASE_URL="$postgresql"
    # shellcheck disable=SC2086 # several words
    run PostgreSQL "$@" $on_postgresql -n $processes $spread --output=var/no-browser
    unset TEST_DATABASE_URL
fi
if [ "$browser" = 1 ]; then
    # shellcheck disable=SC2086 # several words
    run "browser" "$@" tests/browser -n $browsers $spread
fi

if [ -n "$left_out" ]; then
    printf '\n%s\n%s\n%s\n' "$(printf '%080d' 0 | tr 0 '*')" "${left_out#?}" \
        "$(printf '%080d' 0 | tr 0 '*')"
fi
[ "$ran" = 1 ] || failed=1 # no test at all is no success
exit "$failed"

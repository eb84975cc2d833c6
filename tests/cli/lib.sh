# Sourced by tests/cli/*.t: TAP from shell, a scratch folder, the program.
# shellcheck shell=sh
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
: "${BUILD:=$top/build}"
case $BUILD in /*) ;; *) BUILD=$top/$BUILD ;; esac
PATH=$BUILD:$PATH
vectors=$top/tests/vectors
export SOURCE_DATE_EPOCH=1790000000 LC_ALL=C.UTF-8
unset OTA_PACK_PASSWORD OTA_PACK_PASSWORD_FILE OTA_PACK_PASSWORD_COMMAND
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export XDG_STATE_HOME="$work/.state"
count=0
fails=0

# ok STATUS WHAT: one TAP line, ok if STATUS is 0.
ok() {
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        fails=$((fails + 1))
        echo "not ok $count - $2"
        sed 's/^/# out: /' "$work/.out" 2>/dev/null
        sed 's/^/# err: /' "$work/.err" 2>/dev/null
    fi
}

# run STATUS WHAT COMMAND...: runs it, output to .out and .err; ok if it exits
# with STATUS.
run() {
    want=$1 what=$2
    shift 2
    "$@" >"$work/.out" 2>"$work/.err" </dev/null
    got=$?
    [ "$got" -eq "$want" ]
    ok $? "$what (exit $want)"
    [ "$got" -eq "$want" ] || echo "# exit $got: $*"
}

# says FILE TEXT: the last run's .out or .err holds TEXT, to the letter.
says() {
    grep -qF -- "$2" "$work/.$1"
    ok $? "says: $2"
}

# silent FILE: the last run's .out or .err is empty.
silent() {
    [ ! -s "$work/.$1" ]
    ok $? "nothing on .$1"
}

# has_terminal: script(1) is there, and the system gives it one.
has_terminal() {
    script -qec true /dev/null </dev/null >/dev/null 2>&1
}

# forget: this machine remembers nothing of what was published: for tests that
# put back an older copy.
forget() {
    rm -rf "$XDG_STATE_HOME"
}

# done_testing: the plan; last line of each file.
done_testing() {
    echo "1..$count"
    exit $((fails != 0))
}

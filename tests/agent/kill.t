#!/bin/sh
# The agent killed with -9 at each system call that changes something: at boot
# all is old or all is new, and going on works.
. "$(dirname "$0")/agent.sh"
# What is not among them changes nothing here: a kill loses no data, so that one
# before an fsync is one before the next of these.
calls='pwrite64 renameat mkdirat unlinkat fchmod'
if ! can_trace; then
    echo '1..0 # SKIP strace is not there or may not trace'
    exit 0
fi
fleet
rm lib/*
echo 'rm me' >lib/gone.py
publish 1
mkdir dev one two
cp -r main.py lib one/
serve public
settings
agent poll --now >/dev/null
agent confirm >/dev/null
cp -a dev start
echo 'import gc' >main.py
rm lib/gone.py
echo 'x = 1' >lib/new.py
publish 2
ota-pack build -o cards >/dev/null 2>&1
cp -r main.py lib two/
bundle=cards/$device/2.otab

old=$(files one)
new=$(files two)

# whole: after a boot the files are those of the version that the state says.
whole() {
    agent boot >"$work/.out" 2>"$work/.err" || return 1
    case $(value version) in
    1) [ "$(files dev)" = "$old" ] ;;
    2) [ "$(files dev)" = "$new" ] ;;
    *) false ;;
    esac
}

# completes: from there the second version can be installed and confirmed.
completes() {
    agent apply --now --confirm-command true "$bundle" \
        >"$work/.out" 2>"$work/.err" || agent -q confirm || return 1
    [ "$(files dev)" = "$new" ]
}

# installs: whole, and the second version can be installed.
installs() {
    whole && completes
}

everywhere install installs start apply --now "$bundle"
rm -rf dev
cp -a start dev
agent apply --now "$bundle" >/dev/null
cp -a dev trial
everywhere confirm whole trial confirm
everywhere undo whole trial undo
done_testing

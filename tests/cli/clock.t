#!/bin/sh
# Clocks that are wrong: nothing is published that devices refuse, and nothing
# is pruned that was published minutes ago.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet

# change TEXT: main.py says that.
change() {
    echo "import net # $1" >main.py
}

# What nix-shell sets.
export SOURCE_DATE_EPOCH=315532800
config auto '    expires: 90d'
for command in publish plan build; do
    run 1 "$command" ota-pack $command
    says err "manifests of 'greenhouse' would be signed at \
1980-01-01T00:00:00Z and expire at 1980-03-31T00:00:00Z"
    says err 'unset SOURCE_DATE_EPOCH'
done
[ ! -e public/devices ] && [ ! -e out ]
ok $? 'nothing was written'
config auto
run 0 'where nothing expires' ota-pack publish
silent err
change two
run 0 'again' ota-pack publish

# What was left in 1980 is minutes old.
unset SOURCE_DATE_EPOCH
for n in 3 4 5 6; do
    change $n
    ota-pack publish -q
done
run 0 'prune' ota-pack prune
[ "$(find public/payloads -type f | wc -l)" -eq 6 ]
ok $? 'all payloads are there'
SOURCE_DATE_EPOCH=$(($(date +%s) + 3650 * 86400))
export SOURCE_DATE_EPOCH
run 0 'ten years on' ota-pack prune
says err "days past the index in 'public', and the server's is not"
[ "$(find public/payloads -type f | wc -l)" -eq 6 ]
ok $? 'all payloads are there'
unset SOURCE_DATE_EPOCH

# Expired since.
rm -rf public
forget
config auto '    expires: 90d'
run 0 'a time of life' ota-pack publish
run 0 'doctor' ota-pack doctor
says out 'signed anew in time'
SOURCE_DATE_EPOCH=$(($(date +%s) + 91 * 86400))
export SOURCE_DATE_EPOCH
run 9 'verify --server' ota-pack verify --server
grep -q 'expired: .*(at 20..-..-..T..:..:..Z, and the clock says 20' .out
ok $? 'both times are told'
unset SOURCE_DATE_EPOCH

if command -v faketime >/dev/null; then
    export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
    change clock
    run 1 'a clock of 2000' faketime '2000-01-01' ota-pack publish
    says err "this machine's clock says 2000-01-01T00:00:00Z, which cannot be right"
    run 0 'a clock of 2090' faketime '2090-01-01' ota-pack publish
    run 0 'put right' ota-pack publish
    says err "the index in 'public' was written at 2090-01-01T00:00:0"
    says out '3 manifests'
    run 0 'once' ota-pack publish
    silent err
    faketime "$(date -d '+100 days' +%F)" ota-pack doctor >.out 2>.err
    [ $? -eq 5 ]
    ok $? 'doctor, when they have expired'
    says out 'manifests of 3 of 3 devices have expired'
else
    echo '# skipped: faketime is not there'
fi
done_testing

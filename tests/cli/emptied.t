#!/bin/sh
# A server that is empty, or holds something else than this machine has seen
# there, is refused; a new base goes on above what devices were given.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
fleet

# change TEXT: main.py says that.
change() {
    echo "import net # $1" >main.py
}

# refused WHAT COMMAND...: with status 5, and nothing is written.
refused() {
    what=$1
    shift
    find public -type f 2>/dev/null | sort >before
    run 5 "$what" "$@"
    says err "$gone"
    find public -type f 2>/dev/null | sort >after
    cmp -s before after
    ok $? 'nothing was written'
}

# version: of the first device.
version() {
    ota-pack verify -k release.pub public/devices/246f28000001 |
        sed 's/.*version \([0-9]*\).*/\1/'
}

config auto
run 0 'the first publish' ota-pack publish
change two
ota-pack publish -q
change three
ota-pack publish -q
cp -a public kept
gone="there is no index in 'public', and this machine has seen one there, \
with versions up to 3: "

# Empty, with and without its folder, and by other spellings.
rm -rf public
change four
for command in publish plan 'publish -n' 'rollback greenhouse --to 1' \
    'withdraw 24:6f:28:00:00:09' prune build; do
    # shellcheck disable=SC2086  # words
    refused "$command" ota-pack $command
done
mkdir public
refused 'with its folder' ota-pack publish
says err "only if all of it is lost: 'ota-pack publish --new-base' goes on \
above 3"
run 0 'check' ota-pack check
says err "warning: $gone"
run 5 'verify --server' ota-pack verify --server
says err "$gone"
run 5 'status' ota-pack status
says err "$gone"
run 5 'doctor' ota-pack doctor
says out "$gone"
for server in public ./public "$PWD/public///" "$PWD/./public" there/; do
    ln -sfn public there
    config auto
    run 5 "as '$server'" ota-pack publish
    says err 'and this machine has seen one there, with versions up to 3'
done
server=public/

# A link to what is not mounted.
rm -rf public there
mkdir disk
mv kept disk/public
ln -s disk/public public
config auto
run 0 'behind a link' ota-pack publish
[ "$(version)" = 4 ]
ok $? 'all is well there'
mv disk away
gone="there is no index in 'public', and this machine has seen one there, \
with versions up to 4: "
refused 'not mounted' ota-pack publish
mkdir -p disk/public
refused 'an empty one' ota-pack publish
rm -rf disk
mv away disk
run 0 'mounted again' ota-pack publish
silent err

# Another fleet's files, signed by the same key.
(
    mkdir other
    cp release.key release.pub ota-pack.yml main.py other
    cp -a lib other 2>/dev/null
    cd other && ota-pack publish -q
) >/dev/null 2>&1
mv disk/public disk/ours
cp -a other/public disk/public
run 5 'another fleet' ota-pack publish
says err "the index in 'public' is of another base than this machine has seen \
there, with versions up to 4"
run 0 'accepted' ota-pack publish --accept-rollback
rm -rf disk/public
mv disk/ours disk/public
run 5 'and back' ota-pack publish
says err 'is of another base'
run 0 'accepted' ota-pack publish --accept-rollback
[ "$(version)" -ge 4 ]
ok $? 'no version goes back'

# A new base goes on above: the old index; the memory alone; manifests alone.
last=$(version)
change five
run 0 'over an index' ota-pack publish --new-base
says err "'public' starts anew, above version $last"
[ "$(version)" -eq $((last + 1)) ]
ok $? 'above it'
rm -rf disk/public
mkdir disk/public
run 0 'over nothing' ota-pack publish --new-base
[ "$(version)" -eq $((last + 2)) ]
ok $? 'above what is remembered'
rm -rf disk/public/index
forget
run 5 'manifests alone' ota-pack publish
says err "'public' has manifests of devices and no index"
run 5 'doctor' ota-pack doctor
says out 'there is none, and devices have manifests'
run 0 'over manifests' ota-pack publish --new-base
[ "$(version)" -eq $((last + 3)) ]
ok $? 'above them'
config 2
run 3 'a version that is not above' ota-pack publish --new-base
says err "devices of 'greenhouse' were given versions up to $((last + 3))"

# Another key.
config auto
mv release.key old.key && mv release.pub old.pub
ota-pack keygen -W release >/dev/null 2>&1
run 6 'another key' ota-pack publish
says err "devices refuse this key until its public half is put on each by hand"
says err 'put the old key back; only if it is lost: '
run 6 'doctor' ota-pack doctor
says out 'put the old key back'
run 0 'a new base' ota-pack publish --new-base
says err 'until its public half is put on each by hand'
[ "$(version)" -eq $((last + 4)) ]
ok $? 'above what is remembered'

# A move on purpose.
server=moved/
config auto
run 0 'a new place' ota-pack publish
says err "'moved' is a new place"
run 0 'once' ota-pack publish
silent err
done_testing

#!/bin/sh
# A server that is empty, or holds something else than this machine has seen
# there, is refused; a new base goes on above what devices were given.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
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

# Some of it by name: what is not published yet, or not listed now, goes on above
# what it had, too.
server=named/

# both [DEVICE]: the file with a second release, of that device.
both() {
    config auto '  - name: cellar' '    version: auto' \
        '    files: [main.py]' "    devices: [\"24:6f:28:00:00:0${1:-8}\"]"
}

# given ID: the version in its manifest.
given() {
    od -An -tu4 -j28 -N4 "named/devices/246f2800000$1/manifest" | tr -d ' '
}

# thrice: greenhouse has version 1, cellar 3.
thrice() {
    rm -rf named
    forget
    both
    change one
    ota-pack publish -q
    change two
    ota-pack publish -q cellar
    change three
    ota-pack publish -q cellar
    [ "$(given 1) $(given 8)" = '1 3' ] || echo '# not thrice'
}

thrice
change four
run 0 'a new base of one release' ota-pack publish --new-base greenhouse
[ "$(given 1)" = 2 ]
ok $? 'above what it had'
rm -rf named/devices/246f28000008
both 9
run 0 'the other one' ota-pack publish
[ "$(given 9)" = 4 ]
ok $? 'above what that had'
run 0 'nothing more to do' ota-pack publish
silent out
change five
ota-pack publish -q
[ "$(given 1) $(given 9)" = '3 5' ]
ok $? 'and on'
thrice
config auto
run 0 'a new base without a release' ota-pack publish --new-base
both 9
run 0 'it comes back' ota-pack publish
[ "$(given 9)" = 4 ]
ok $? 'above what it had'
thrice
sed -i '/cellar/,$s/auto/3/' ota-pack.yml
run 0 'a new base of the other one' ota-pack publish --new-base greenhouse
run 3 'a number that it had' ota-pack publish
says err "versions of 'cellar' up to 3 may have been given to devices before: \
set 'version: 4' (or 'version: auto')"
thrice
sed -i 's/- "24:6f:28:00:00:03"/- "24:6f:28:00:00:08"/; /cellar/,$d' \
    ota-pack.yml
run 0 'a new base of a release that is to get others' \
    ota-pack publish --new-base north
[ "$(given 1)" = 4 ]
ok $? 'above those, too'

# A key that is lost: this machine remembers.
thrice
mv release.key old.key && mv release.pub old.pub
ota-pack keygen -W release >/dev/null 2>&1
run 0 'another key' ota-pack publish --new-base greenhouse
[ "$(given 1)" = 4 ]
ok $? 'above what is remembered'
run 0 'the other one' ota-pack publish
[ "$(given 8)" = 4 ]
ok $? 'above it as well'

# Cut short after its first head.
if strace -o /dev/null true 2>/dev/null; then
    thrice
    change seven
    strace -f -o /dev/null -e trace=syncfs -e inject=syncfs:signal=KILL:when=1 \
        ota-pack -j 1 publish --new-base greenhouse >/dev/null 2>&1
    rm -rf named/devices/246f28000008
    both 9
    run 0 'cut short' ota-pack publish
    [ "$(given 1) $(given 9)" = '2 4' ]
    ok $? 'the numbers stay used'
fi

# Another machine publishes; this one only looks, and learns what there is.
server=both/
config auto
for look in 'publish' 'verify --server' 'status' 'plan'; do
    rm -rf both && forget
    echo "# $look" >>main.py
    ota-pack -q publish 2>/dev/null
    for i in 1 2; do
        echo "# $i" >>main.py
        XDG_STATE_HOME="$work/another" ota-pack -q publish
    done
    # shellcheck disable=SC2086  # words
    run 0 "another one publishes, and here: $look" ota-pack $look
    rm -rf both
    run 5 'it is gone' ota-pack publish
    says err "goes on above 3"
    forget
    rm -rf another
done
done_testing

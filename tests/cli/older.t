#!/bin/sh
# An index that somebody put back: this machine remembers a newer one.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
state=$XDG_STATE_HOME/ota-pack

# change LINE: another content of the release.
change() {
    echo "import $1" >main.py
}

# unchanged WHAT COMMAND...: neither server nor memory changes by it; fails
# with 5.
unchanged() {
    what=$1
    shift
    { stamp public && stamp "$state"; } >before
    run 5 "$what" "$@"
    { stamp public && stamp "$state"; } >after
    cmp -s before after
    ok $? 'and nothing is written'
}

cure="put back the newest copy of its 'index' folder; or, if it was you who \
put an older one there and it is to stay, run 'ota-pack publish \
--accept-rollback'"

# What is remembered, and when it is written.
config auto
run 0 'plan' ota-pack plan
[ ! -e "$XDG_STATE_HOME" ]
ok $? 'where nothing is published there is nothing to be remembered'
run 0 'publish' ota-pack publish
[ "$(stat -c %a "$state" "$state"/* | tr -d '\n')" = 700600600 ]
ok $? 'the folder and its files are for their owner'
base=$(od -An -tx1 -j16 -N16 public/index/head | tr -d ' \n')
[ "$(find "$state" -type f ! -name 'at-*')" = "$state/$base" ]
ok $? 'the file is named by the base'
[ "$(cut -d' ' -f1,2,4 "$state"/at-*)" = "$base 1 public" ]
ok $? 'another one says which base is there, and its version'
[ "$(cut -d' ' -f1,2,4 "$state/$base")" = '2 1790000000 public' ]
ok $? 'it has the generation, the time and the server'
stamp "$state" >before
run 0 'nothing to do' ota-pack publish
silent out
silent err
run 0 'status' ota-pack status
run 0 'plan' ota-pack plan
stamp "$state" >after
cmp -s before after
ok $? 'which write nothing'
forget
run 0 'nothing to do, and no memory' ota-pack publish
silent err
[ "$(cut -d' ' -f1 "$state/$base")" = 2 ]
ok $? 'what was seen is remembered'

# An older head, of each moment.
cp -a public first
change one
ota-pack publish >/dev/null 2>&1
cp -a public second
cp -a "$XDG_STATE_HOME" remembers
rm -rf public/index && cp -a first/index public/index
older="the index in 'public' is older than this machine saw it: it has \
generation 2 of 2026-09-21T14:13:20Z, and had 4 of 2026-09-21T14:13:20Z"
change two
unchanged 'publish' ota-pack publish
says err "ota-pack: $older; $cure"
says err "nothing of '$work/ota-pack.yml' was published to 'public/'"
unchanged 'plan' ota-pack plan
says err "$older"
unchanged 'publish --dry-run' ota-pack publish -n
unchanged 'rollback' ota-pack rollback greenhouse --to 1
says err "$older"
unchanged 'prune' ota-pack prune
says err "$older"
unchanged 'build' ota-pack build
says err "$older"
config auto && sed -i '/south/d' ota-pack.yml
unchanged 'withdraw' ota-pack withdraw south
says err "$older"
config auto
unchanged 'publish with nothing to do for the old one' sh -c \
    "echo 'import net' >main.py; ota-pack publish -q"
says err "$older"
for command in status 'verify --server --sample 1' check; do
    # shellcheck disable=SC2086  # words
    ota-pack $command >"$work/.out" 2>"$work/.err"
    says err "ota-pack: warning: $older; $cure"
    [ "$(grep -c 'is older' "$work/.err")" -eq 1 ]
    ok $? "$command says it once"
done
run 0 'status goes on' ota-pack status
says out '3 devices: 3 published, 0 never'
run 5 'doctor goes on' ota-pack doctor
grep -q "^index *error *$older" "$work/.out"
ok $? 'and says what publish refuses'
change two
forget
run 5 'without memory' ota-pack publish
says err "the index in 'public' is older than its manifests"
rm -rf public "$XDG_STATE_HOME"
cp -a second public && cp -a remembers "$XDG_STATE_HOME"
run 0 'the newest one' ota-pack publish
[ "$(version 246f28000001)" = 3 ]
ok $? 'is gone on from'

# The head of an intent counts.
if can_trace; then
    cp -a public/index third
    change cut
    killed_at syncfs 1 ota-pack -j 1 publish
    cp -a public/index begun
    rm -rf public/index && cp -a third public/index
    unchanged 'a head from before a publish that was cut' ota-pack publish
    rm -rf public/index && mv begun public/index
    run 0 'its own' ota-pack publish
    [ "$(version 246f28000001)" = 4 ]
    ok $? 'is brought to its end'
fi

# Another head of the same generation, of somebody who had an older copy.
cp -a public/index common
change mine
ota-pack publish >/dev/null 2>&1
cp -a public ours
mv "$XDG_STATE_HOME" kept.state
rm -rf public/index && mv common public/index
rm -rf public/devices/*
change theirs
SOURCE_DATE_EPOCH=1790000099 ota-pack publish >/dev/null 2>&1
rm -rf "$XDG_STATE_HOME" && mv kept.state "$XDG_STATE_HOME"
unchanged 'the same generation' ota-pack publish
says err "the index in 'public' is not the one of generation"
says err ' that this machine saw: two were published, each without the other; '
says err "$cure"
rm -rf public && mv ours public
run 0 'our own' ota-pack publish

# A base that was replaced.
cp -a public replaced
run 0 'a new base' ota-pack publish --new-base
[ "$(find "$state" -type f ! -name 'at-*' | wc -l)" -eq 2 ]
ok $? 'both bases are remembered'
mv public new
cp -a replaced public
change replaced
unchanged 'the old base' ota-pack publish
says err "the index in 'public' is of a base that 'publish --new-base' \
replaced here, at 2026-09-21T14:13:20Z; $cure"
run 0 'status' ota-pack status
says err "warning: the index in 'public' is of a base that"
rm -rf public && mv new public
run 0 'the new one' ota-pack publish

# A copy elsewhere: it says where that was.
cp -a public other
server=other/ config auto
change elsewhere
run 0 'published to the copy' ota-pack publish
config auto
unchanged 'where it was copied from' ota-pack publish
says err "the index in 'public' is older than this machine saw it in 'other': "
rm -rf public && mv other public

# Memory that is damaged.
base=$(od -An -tx1 -j16 -N16 public/index/head | tr -d ' \n')
run 0 'all is well' ota-pack publish
cp "$state/$base" good
good_hash=$(cut -d' ' -f3 good)
yes "$good_hash" | tr '\n' y | head -c 100000 >large
for text in '' x "99 $good_hash" "x 1790000000 $good_hash public" \
    "-1 1790000000 $good_hash public" "0 1790000000 $good_hash public" \
    "18446744073709551615 1790000000 $good_hash public" \
    "99999999999999999999 1790000000 $good_hash public" \
    "99 1790000000 abc public" "99 1790000000 ${good_hash}00 public" \
    "99 1790000000 $good_hash" "$(cat large)"; do
    printf '%s\n' "$text" >"$state/$base"
    run 0 "memory that is '$(printf %.30s "$text")'" ota-pack publish
    says err "ota-pack: warning: '$state/$base' is damaged: which index this \
machine has seen last is not known"
    [ "$(cut -d' ' -f1-3 "$state/$base")" = "$(cut -d' ' -f1-3 good)" ]
    ok $? 'it is made anew'
done
tr '\n' ' ' <good >"$state/$base"
run 0 'cut at its end' ota-pack publish
says err 'is damaged'
rm "$state/$base" && mkfifo "$state/$base"
run 0 'a pipe' ota-pack publish
says err 'is damaged'
rm -f "$state/$base"
cp good elsewhere && ln -s "$PWD/elsewhere" "$state/$base"
run 0 'a link' ota-pack publish
silent err
rm "$state/$base" && mkdir "$state/$base"
change folder
run 0 'a folder' ota-pack publish
[ "$(grep -c '' "$work/.err")" -eq 1 ]
ok $? 'one warning'
rmdir "$state/$base"

# No place to remember in.
number=0
without() {
    what=$1
    shift
    number=$((number + 1))
    run 0 "$what: nothing to do" "$@" ota-pack publish
    silent out
    silent err
    change "without$number"
    run 0 "$what: publish" "$@" ota-pack publish
    says out 'published: 3 manifests'
}
run 0 'what is there' ota-pack publish
forget
: >file
cannot="warning: cannot write to '$work/file/ota-pack': Not a directory; an \
older copy of the index, were it put back, would not be noticed here"
without 'a file in its place' env XDG_STATE_HOME="$work/file"
says err "$cannot"
[ "$(grep -c '' "$work/.err")" -eq 1 ]
ok $? 'it is said once'
without 'no HOME' env -u HOME -u XDG_STATE_HOME
silent err
without 'a relative one' env XDG_STATE_HOME=state HOME="$work/home"
silent err
[ ! -e state ] && [ -s "$work/home/.local/state/ota-pack/$base" ]
ok $? 'does not count'
[ ! -e "$XDG_STATE_HOME" ]
ok $? 'nothing was remembered elsewhere'
if [ "$(id -u)" -ne 0 ]; then
    mkdir -m 500 sealed
    without 'a folder that is sealed' env XDG_STATE_HOME="$work/sealed"
    says err "cannot write to '$work/sealed/ota-pack': Permission denied"
fi

# Somebody here publishes after the head was read, and before the memory is: that
# is nothing old.
if can_trace; then
    ota-pack publish >/dev/null 2>&1
    change late
    strace -f -o trace -P "$state" -e trace=openat \
        -e inject=openat:delay_enter=1500000:when=1 \
        ota-pack plan >plan.out 2>plan.err &
    until [ -s trace ]; do
        kill -0 $! || break
        sleep 0.02
    done
    run 0 'publish' ota-pack publish
    kill -0 $!
    ok $? 'while another one looks'
    wait $!
    ok $? 'who goes on'
    grep -q 'nothing to do' plan.out
    ok $? 'with the newer index'
fi

# Two bases, two memories.
config auto
sed -i 's|^server: .*|servers: [one, two]|' ota-pack.yml
run 0 'two servers' ota-pack publish
cp -a two/index old
change both
run 0 'again' ota-pack publish
rm -rf two/index && mv old two/index
change one
run 5 'one of them is older' ota-pack plan
says err "the index in 'two' is older than this machine saw it"
run 7 'publish' ota-pack publish
says err "the index in 'two' is older than this machine saw it"
run 0 'the other one is published to' ota-pack status
says out 'greenhouse  3 '
done_testing

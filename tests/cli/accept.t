#!/bin/sh
# publish --accept-rollback: an older index was put back on purpose, and is gone
# on from without giving any number a second content.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
: >given

# config_of VERSION NAME...: of these devices, in this order.
config_of() {
    config "$1"
    shift
    sed -i '/24:6f/d' ota-pack.yml
    for name; do
        echo "      - {id: \"24:6f:28:00:00:0${name#d}\", name: $name}"
    done >>ota-pack.yml
}

# note: the version and content of each manifest.
note() {
    for file in public/devices/*/manifest; do
        id=${file%/manifest}
        echo "$(version "${id##*/}") $(od -An -tx1 -j48 -N16 "$file" |
            tr -d ' ')"
    done >>given
}

# once WHAT: no number ever stood for two contents.
once() {
    note
    sort -u given | cut -d' ' -f1 | uniq -d >twice
    [ ! -s twice ]
    ok $? "$1: each number has one content"
}

# versions LIST: of devices 1 to 5, 0: it has no manifest.
versions() {
    got=
    for n in 1 2 3 4 5; do
        if [ -e "public/devices/246f2800000$n" ]; then
            got="$got$(version "246f2800000$n")"
        else
            got="${got}0"
        fi
    done
    [ "$got" = "$1" ]
    ok $? "versions $1"
    [ "$got" = "$1" ] || echo "# but $got"
}

# publish_as CONTENT: its files, published.
publish_as() {
    echo "import $1" >main.py
    ota-pack publish >/dev/null 2>&1 || echo "# publish failed"
    note
}

# sane WHAT: each manifest is whole and as the index says, and there is nothing
# more to do, with or without memory.
sane() {
    whole "$1: manifests and payloads"
    once "$1"
    run 0 "$1: index and manifests agree" ota-pack verify --server
    run 0 "$1: nothing more to do" ota-pack publish
    silent out
    silent err
    run 0 "$1: nor without memory" env -u XDG_STATE_HOME -u HOME \
        ota-pack publish
    silent err
}

# Since the copy: all were changed twice, d4 added, d2 withdrawn, d1 and d5
# taken out of the file.
config_of auto d1 d2 d3 d5
publish_as one
cp -a public/index copy
cp -a public all
publish_as two
config_of auto d1 d2 d3 d4 d5
publish_as two
publish_as three
config_of auto d1 d3 d4
ota-pack withdraw d2 >/dev/null 2>&1
publish_as three
config_of auto d3 d4
publish_as three
versions 30333
cp -a public ahead
cp given given.then
cp -a "$XDG_STATE_HOME" remembers

# put_back: the older index, under the manifests of then.
put_back() {
    rm -rf public "$XDG_STATE_HOME"
    cp -a ahead public
    rm -rf public/index
    cp -a copy public/index
    cp -a remembers "$XDG_STATE_HOME"
    cp given.then given
}

# generation: of the head that is there.
generation() {
    od -An -tu8 -j32 -N8 public/index/head | tr -d ' '
}

# Other content, with auto.
put_back
echo 'import four' >main.py
run 5 'it is refused' ota-pack publish
run 0 'what would be done' ota-pack publish -n --accept-rollback
says out 'greenhouse: version 1 -> 4 for 2 devices'
run 5 'it still is' ota-pack publish
last=$(od -An -tu8 -j32 -N8 ahead/index/head | tr -d ' ')
run 0 'accepted' ota-pack publish --accept-rollback
says out 'greenhouse: version 1 -> 4 for 2 devices'
versions 30443
[ "$(generation)" -gt "$last" ]
ok $? 'its generation is above what was remembered'
run 0 'status' ota-pack status --json
says out '"id":"246f28000001","name":"d1","release":"greenhouse","version":3,'
says out '"id":"246f28000005","name":"d5","release":"greenhouse","version":3,'
# d2 was withdrawn: the old index knows it, and nothing is there.
run 9 'who was withdrawn is missed' ota-pack verify --server
says out '24:6f:28:00:00:02 d2: missing'
run 0 'and withdrawn again' ota-pack withdraw d2
sane 'auto'
run 0 'whoever remembers the old one' env XDG_STATE_HOME="$work/remembers" \
    ota-pack publish
silent err
config_of auto d1 d2 d3 d4 d5
run 0 'all come back' ota-pack publish
sane 'all'
[ "$(version 246f28000002)" -gt 3 ]
ok $? 'who was withdrawn gets a number that it never had'

# The content that devices have, with auto: nobody is given other content.
put_back
config_of auto d1 d3 d4 d5
echo 'import three' >main.py
run 0 'the content that they have' ota-pack publish --accept-rollback
ota-pack withdraw d2 >/dev/null 2>&1
sane 'the same content'

# Explicit numbers.
put_back
config_of 3 d3 d4
echo 'import five' >main.py
run 3 'a number that devices have with other content' \
    ota-pack publish --accept-rollback
says err "version 3 of 'greenhouse' is already published with other content: \
set 'version: 4' (or 'version: auto')"
versions 30333
config_of 2 d3 d4
run 3 'one below' ota-pack publish --accept-rollback
says err "set 'version: 4'"
config_of 3 d3 d4
echo 'import three' >main.py
run 0 'their number and content' ota-pack publish --accept-rollback
versions 30333
ota-pack withdraw d2 >/dev/null 2>&1
sane 'their number'
put_back
config_of 7 d3 d4
echo 'import seven' >main.py
run 0 'a higher one' ota-pack publish --accept-rollback
versions 30773
ota-pack withdraw d2 >/dev/null 2>&1
sane 'a higher one'

# One device of them: the others are looked at by the next publish.
put_back
config_of auto d1 d3 d4
echo 'import eight' >main.py
run 0 'one device' ota-pack publish --accept-rollback d3
once 'one device'
run 0 'then all' ota-pack publish
says out 'for 2 devices'
ota-pack withdraw d2 >/dev/null 2>&1
sane 'one, then all'

# The content of the old index itself: devices have a newer one.
put_back
config_of auto d3 d4
echo 'import one' >main.py
run 0 'the old content' ota-pack publish --accept-rollback
versions 30443
ota-pack withdraw d2 >/dev/null 2>&1
sane 'the old content'

# Without memory, where manifests tell.
put_back
forget
config_of auto d3 d4
echo 'import nine' >main.py
run 5 'refused without memory' ota-pack publish
says err "the index in 'public' is older than its manifests"
says err "and it is to stay, run 'ota-pack publish --accept-rollback'"
run 0 'accepted without memory' ota-pack publish --accept-rollback
versions 30443
ota-pack withdraw d2 >/dev/null 2>&1
sane 'without memory'

# Everything is as it was then: there is nothing to write but the head.
put_back
rm -rf public
cp -a all public
config_of auto d1 d2 d3 d5
echo 'import one' >main.py
run 5 'a copy of all' ota-pack publish
run 0 'accepted' ota-pack publish --accept-rollback
versions 11101
[ "$(generation)" -gt "$last" ]
ok $? 'its generation is above what was remembered'
sane 'a copy of all'

# Where nothing was put back.
run 0 'needlessly' ota-pack publish --accept-rollback
versions 11101
sane 'needlessly'

# A base that was replaced.
cp -a public old
run 0 'a new base' ota-pack publish --new-base
rm -rf public
mv old public
run 5 'the old base' ota-pack publish
run 0 'accepted' ota-pack publish --accept-rollback
sane 'the old base'

# Cut short: the next one needs not be told again.
if can_trace; then
    put_back
    config_of auto d3 d4
    echo 'import ten' >main.py
    killed_at syncfs 1 ota-pack -j 1 publish --accept-rollback
    versions 30443
    run 0 'the next publish' ota-pack publish
    versions 30443
    ota-pack withdraw d2 >/dev/null 2>&1
    sane 'cut'
fi
done_testing

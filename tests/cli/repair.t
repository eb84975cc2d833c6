#!/bin/sh
# verify --server --repair and publish --repair: what the server has lost or
# damaged is put again, or what is to be done is said.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
mkdir site
for n in 5 6; do echo "$n" >"site/246f2800000$n.py"; done
shed() {
    config "$1" '    delete: [old.py]' '  - name: shed' '    version: auto' \
        '    files: [{from: "site/{id}.py", to: site.py}, lib/net.py]' \
        '    devices: ["24:6f:28:00:00:05", "24:6f:28:00:00:06"]'
}

# payload_of ID: the payload of a device's manifest.
payload_of() {
    od -An -tx1 -j128 -N32 "public/devices/$1/manifest" | tr -d ' \n' |
        sed 's|^\(..\)|public/payloads/\1/\1|'
}

# damage FILE OTHER HOW
damage() {
    size=$(stat -c %s "$1")
    case $3 in
    missing) rm "$1" ;;
    truncated) truncate -s $((size / 2)) "$1" ;;
    garbage) head -c "$size" /dev/zero >"$1" ;;
    other) cp "$2" "$1" ;;
    esac
}

# objects: what devices and publishers find, but for the head.
objects() {
    tree public | grep -v ./lock
}

# restart: everything as it was published, sources too.
restart() {
    rm -rf public main.py lib site
    cp -a "$1"/. .
    forget
}

# keep FOLDER: of what restart puts back.
keep() {
    rm -rf "$1"
    mkdir "$1"
    cp -a public main.py lib site ota-pack.yml "$1"
}

shed auto
ota-pack -q publish
keep normal
echo 'import os' >>main.py
ota-pack -q publish
ota-pack -q rollback greenhouse --to 1
keep rolled
cp normal/main.py .
keep back

for state in normal back; do
    for object in shared own manifest; do
        for how in missing truncated garbage other; do
            restart $state
            objects >before
            case $object in
            shared) file=$(payload_of 246f28000001) ;;
            own) file=$(payload_of 246f28000005) ;;
            manifest) file=public/devices/246f28000001/manifest ;;
            esac
            case $object in
            manifest) other=public/devices/246f28000005/manifest ;;
            *) other=$(payload_of 246f28000006) ;;
            esac
            inode=$(stat -c %i "$other")
            damage "$file" "$other" $how
            run 9 "$state: $object, $how, is found" ota-pack verify --server
            says err "'ota-pack verify --server --repair' puts again what is"
            run 0 "$state: $object, $how, is mended" \
                ota-pack verify --server --repair
            says out 'put again: 1 '
            objects >after
            cmp -s before after
            ok $? 'byte for byte'
            [ "$(stat -c %i "$other")" = "$inode" ]
            ok $? 'what is whole is left alone'
        done
    done
done
run 0 'all is well' ota-pack verify --server --repair
says out '5 of 5 devices ok'
[ "$(wc -l <.out)" -eq 1 ]
ok $? 'which is all'

# The sources have moved on.
restart normal
echo 'import gc' >main.py
echo 55 >site/246f28000005.py
objects >before
rm public/devices/246f28000001/manifest
run 0 'a manifest needs no sources' ota-pack verify --server --repair
objects >after
cmp -s before after
ok $? 'byte for byte'
lost=$(payload_of 246f28000001)
rm "$lost"
run 9 'its payload does' ota-pack verify --server --repair
says err "version 1 of 'greenhouse' is lost for 3 devices ('north', 'south', '24:6f:28:00:00:03')"
says err "'ota-pack publish --repair' gives them what the sources are now, as a new version"
says out '2 of 5 devices ok'
run 9 'as JSON' ota-pack verify --server --repair --json
says out '{"type":"repair","payloads":0,"bytes":0,"manifests":0,"lost":3,"v":1}'
run 0 'a new version' ota-pack publish --repair
says out 'greenhouse: version 1 -> 2 for 3 devices'
run 0 'all is well' ota-pack verify --server
[ ! -e "$lost" ]
ok $? 'and the old payload is not there'
restart normal
shared=$(payload_of 246f28000001)
rm "$shared" main.py
run 4 'a source is gone' ota-pack verify --server --repair
says err 'without the sources only what other payloads have can be put again'
says err 'put the sources back as they were, and run this again'
run 4 'nor a new version' ota-pack publish --repair
restart normal
head -c 9 /dev/zero >"$(payload_of 246f28000001)"
sed -i 's/version: auto/version: 1/; s/, old.py//; s/old.py/older.py/' \
    ota-pack.yml
run 9 'the same files, and other deletes' ota-pack verify --server --repair
run 3 'a fixed version' ota-pack publish --repair
says err "set 'version: 2'"
sed -i 's/version: 1/version: 2/' ota-pack.yml
run 0 'the next one' ota-pack publish --repair
run 0 'all is well' ota-pack verify --server

# Nothing changed, and yet it is a higher version: the old bytes are no more.
restart normal
sed -i 's/old.py/older.py/' ota-pack.yml
rm "$(payload_of 246f28000001)"
run 0 'all devices get it' ota-pack publish --repair
run 0 'all is well' ota-pack verify --server
says out '5 of 5 devices ok'
[ "$(version 246f28000001)" = 2 ]
ok $? 'a higher version'
[ "$(version 246f28000005)" = 1 ]
ok $? 'the others keep theirs'

# Files that other payloads have.
restart normal
cat >>ota-pack.yml <<'EOT'
  - name: twin
    version: auto
    files: [main.py, lib/*.py]
    delete: [twin.py]
    devices: ["24:6f:28:00:00:09"]
EOT
ota-pack -q publish
rm "$(payload_of 246f28000001)"
echo 'import gc' >main.py
objects >before
run 0 'another payload has them' ota-pack verify --server --repair
says out 'put again: 1 payload of '
run 0 'all is well' ota-pack verify --server
says out '6 of 6 devices ok'

# In a folder what is there is looked at by content.
restart normal
garbage=$(payload_of 246f28000001)
head -c "$(stat -c %s "$garbage")" /dev/zero >"$garbage"
sed -i 's/      - "24:6f:28:00:00:03"/&\n      - "24:6f:28:00:00:04"/' ota-pack.yml
run 0 'a new device' ota-pack publish
run 0 'its payload is whole' ota-pack verify --server
says out '6 of 6 devices ok'

# Rolled back, and lost for good: its sources are left alone.
restart rolled
rm "$(payload_of 246f28000001)"
run 9 'the sources were rolled back' ota-pack verify --server --repair
says err "change the sources and publish, or run 'ota-pack rollback' to another version"
run 9 'they are left alone' ota-pack publish --repair
says err "change the sources and publish, or run 'ota-pack rollback' to another version"
run 0 'to another version' ota-pack rollback greenhouse --to 2
run 0 'all is well' ota-pack verify --server
restart rolled
rm "$(payload_of 246f28000001)"
echo 'import gc' >main.py
run 9 'other sources' ota-pack verify --server --repair
says err "'ota-pack publish --repair' gives them what the sources are now"
run 0 'they are a new version' ota-pack publish --repair
run 0 'all is well' ota-pack verify --server

# A device that is gone.
restart normal
sed -i 's/^    delete/    expires: 90d\n&/' ota-pack.yml
echo 'import gc' >main.py
ota-pack -q publish
grep -v south ota-pack.yml >x && mv x ota-pack.yml
rm public/devices/246f28000002/manifest
run 9 'not listed, and missing' ota-pack verify --server
SOURCE_DATE_EPOCH=1800000000
run 0 'signed anew' ota-pack -q publish
run 0 'not listed, and expired' ota-pack verify --server
says out '4 of 4 devices ok'
run 0 'it is left alone' ota-pack verify --server --repair
[ ! -e public/devices/246f28000002/manifest ]
ok $? 'nothing is made for it'
SOURCE_DATE_EPOCH=1900000000
run 9 'listed, and expired' ota-pack verify --server --repair
says err "'ota-pack publish' signs anew what has expired"
run 0 'which it does' ota-pack -q publish
run 0 'all is well' ota-pack verify --server
SOURCE_DATE_EPOCH=1790000000

# A shard: the index is the only one who has it.
restart normal
for how in missing truncated garbage other; do
    restart normal
    shard=$(find public/index -type f ! -name head)
    damage "$shard" public/index/head $how
    run 5 "a shard is $how" ota-pack verify --server --repair
    says err "put its 'index' folder back"
done

# What does not go together.
restart normal
run 2 'with a name' ota-pack verify --server --repair north
run 2 'without --server' ota-pack verify --repair x
says err "'--repair' goes with '--server'"
run 2 'a dry run' ota-pack publish --repair -n
says err "'ota-pack verify --server' says what '--repair' would put again"
run 2 'a new base' ota-pack publish --repair --new-base

# Locked, and cut.
if can_trace; then
    restart normal
    rm public/devices/*/manifest
    objects >before
    killed_at renameat 3 ota-pack verify --server --repair
    run 0 'a repair that was cut goes on' ota-pack verify --server --repair
    (cd normal && objects) >before
    objects >after
    cmp -s before after
    ok $? 'byte for byte'
    flock public/lock sleep 5 &
    holder=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        flock -n public/lock true || break
        sleep 0.1
    done
    run 8 'somebody else publishes' ota-pack verify --server --repair
    kill "$holder"
fi
done_testing

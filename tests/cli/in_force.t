#!/bin/sh
# After a rollback: what it put in force is what new and moved devices get, and
# what is signed anew; `plan` says so, and the counts are right.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
# lifes of a month, by a clock that is right
SOURCE_DATE_EPOCH=$(date +%s)
export SOURCE_DATE_EPOCH
ota-pack keygen -W release >/dev/null 2>&1
conf() {
    cat >ota-pack.yml <<END
key: release.key
server: public
expires: ${3:-30d}
releases:
  - {name: a, version: auto, label: ${4:-one}, files: [a.py], devices: [$1]}
  - {name: b, version: auto, files: [b.py], devices: [$2]}
END
}
one='"02:00:00:00:00:01"' two='"02:00:00:00:00:02"'
three='"02:00:00:00:00:03"' four='"02:00:00:00:00:04"'

# has DEVICE VERSION: the device is offered that, with the good a.py.
has() {
    rm -rf tree
    ota-pack unpack -k release.pub --time "$SOURCE_DATE_EPOCH" \
        -C tree "public/devices/02000000000$1" >.out 2>.err &&
        [ "$(cat tree/a.py)" = 1 ] &&
        ota-pack show "public/devices/02000000000$1" | tr -s ' ' |
        grep -q "version $2"
    ok $? "0$1 has version $2 of what is in force"
}

# agreed WHAT: plan says that something is written, publish writes it, and then
# both say that there is nothing.
agreed() {
    run 10 "$1: plan" ota-pack plan --exit-code
    run 0 "$1: publish" ota-pack publish
    cp public/index/head head
    run 0 "$1: plan again" ota-pack plan --exit-code
    run 0 "$1: publish again" ota-pack publish
    cmp -s head public/index/head
    ok $? "$1: nothing more is written"
}

conf "$one" "$two, $three"
echo 1 >a.py
echo 1 >b.py
ota-pack publish >/dev/null 2>&1
echo 2 >a.py
ota-pack publish >/dev/null 2>&1
ota-pack rollback a --to 1 >/dev/null 2>&1
ota-pack publish >/dev/null 2>&1
run 0 'nothing is to be written' ota-pack plan --exit-code
says out "a: left alone, its content is that of version 2, which was rolled back"

conf "$one, $three, $four" "$two"
run 10 'one moves in, one is new' ota-pack plan --exit-code
says out 'with what the rollback put in force'
says out '  ~ 02:00:00:00:00:03  moves from '
says out '  + 02:00:00:00:00:04  new, gets version 3'
agreed 'moved and new'
has 1 3
has 3 4
has 4 3

# Signed anew, while another release changes; the counts.
SOURCE_DATE_EPOCH=$((SOURCE_DATE_EPOCH + 86400 * 25))
echo 2 >b.py
run 10 'plan' ota-pack plan --exit-code
says out 'refresh: version 3 signed anew before it expires'
run 0 'publish' ota-pack --json publish
says out '"written":4,"failed":0'
run 0 'nothing more' ota-pack plan --exit-code
run 0 'all are good' ota-pack verify --server
has 1 3
has 3 4

# Another life is asked for: also of what is in force.
conf "$one, $three, $four" "$two" 60d
agreed 'another life'
has 1 3

# Another label is no way around a rollback.
conf "$one, $three, $four" "$two" 60d two
run 0 'publish' ota-pack publish
says err "'a' is left alone"
has 1 3

# A failure is one, whatever else was written.
SOURCE_DATE_EPOCH=$((SOURCE_DATE_EPOCH + 86400 * 45))
echo 3 >b.py
rm -r public/devices/020000000002
echo in the way >public/devices/020000000002
run 7 'one cannot be written' ota-pack --json publish
says out '"written":3,"failed":1'
rm public/devices/020000000002
run 0 'the next one can' ota-pack publish
run 0 'all are good' ota-pack verify --server

# What is in force is lost, and due to be signed anew: the others go on.
# b_has VERSION
b_has() {
    ota-pack show public/devices/020000000002 | tr -s ' ' |
        grep -q "version $1"
    ok $? "b has version $1"
}
rm -rf public
forget
SOURCE_DATE_EPOCH=$(date +%s)
conf "$one" "$two"
ota-pack publish -q b
find public/payloads -type f >b.list
for i in 1 2; do
    echo $i >a.py
    ota-pack publish -q
done
ota-pack rollback a --to 1 -q
find public/payloads -type f | grep -vxFf b.list | xargs rm
SOURCE_DATE_EPOCH=$((SOURCE_DATE_EPOCH + 86400 * 25))
echo 4 >b.py
run 7 'publish' ota-pack publish
says err "is not in 'public': publish the sources of that version"
says err '1 of 2 devices were not written'
b_has 2
echo 5 >b.py
run 9 'publish --repair' ota-pack publish --repair
says err "version 3 of 'a' is lost for 1 device"
b_has 3

# Many devices that are left alone and signed anew have one list of files.
rm -rf public
forget
SOURCE_DATE_EPOCH=$(date +%s)
awk 'BEGIN { print "id"; for (i = 0; i < 1500; i++)
    printf "02:00:00:00:%02x:%02x\n", i / 256, i % 256 }' >list.csv
mkdir files
for i in $(seq 600); do echo "$i" >"files/$i"; done
cat >ota-pack.yml <<END
key: release.key
server: public
expires: 30d
releases:
  - {name: a, version: auto, files: [a.py, "files/*"], devices: [{from: list.csv}]}
END
for i in 1 2; do
    echo $i >a.py
    ota-pack publish -q
done
ota-pack rollback a --to 1 -q
SOURCE_DATE_EPOCH=$((SOURCE_DATE_EPOCH + 86400 * 25))
# limited COMMAND...: in 80 MB.
limited() {
    # shellcheck disable=SC3045  # the shells that there are have it
    (ulimit -v 80000 2>/dev/null && "$@")
}
if limited ota-pack show public/devices/020000000000 >/dev/null 2>&1; then
    run 0 '1500 devices of 601 files' limited ota-pack plan
    says out '1500 devices to be written: 1500 to be refreshed'
else
    echo '# skipped: this build needs more memory (a sanitizer)'
fi
done_testing

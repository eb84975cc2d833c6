#!/bin/sh
# What a person writes in ota-pack.yml is published, or refused with a reason:
# each key changed alone, and what `plan --exit-code` says of it before.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
ota-pack keygen -W release >/dev/null 2>&1
echo 1 >main.py
echo 2 >other.py
id='"02:00:00:00:00:01"'

# conf KEY=VALUE...: a release with these in place of what it has else.
conf() {
    version=auto label=a delete='' hardware=0 ram=24K expires='' mode=644
    files=main.py name=r keep=9 exclude=x.py devices=$id
    for word; do
        eval "${word%%=*}=\${word#*=}"
    done
    cat >ota-pack.yml <<END
key: release.key
server: public
keep: $keep
${expires:+expires: $expires}
releases:
  - name: $name
    version: $version
    label: "$label"
    hardware: $hardware
    ram: $ram
    exclude: [$exclude]
    files:
      - {from: "$files", to: main.py, mode: "$mode"}
    delete: [${delete:-gone.py}]
    devices: [$devices]
END
}

# shows TEXT: the device's manifest, as `show` prints it, holds TEXT.
shows() {
    ota-pack show public/devices/020000000001 >.out 2>.err
    tr -s ' ' <.out | grep -q "^ *$1"
    ok $? "shows: $1"
}

# published WHAT CONF...: plan says so, publish does it, and then it is done.
published() {
    what=$1
    shift
    conf "$@"
    run 10 "$what: plan" ota-pack plan --exit-code
    run 0 "$what: publish" ota-pack publish
    says out 'published: 1 manifest'
    run 0 "$what: then it is done" ota-pack plan --exit-code
    cp public/index/head head
    run 0 "$what: publish again" ota-pack publish
    silent out
    cmp -s head public/index/head
    ok $? "$what: and writes nothing"
}

# the_same WHAT CONF...: devices have no use for it: nothing is published.
the_same() {
    what=$1
    shift
    cp public/devices/020000000001/manifest before
    conf "$@"
    ota-pack plan --exit-code >.out 2>.err
    said=$?
    cp public/index/head head
    run 0 "$what: publish" ota-pack publish
    cmp -s head public/index/head
    [ $((said == 10)) -eq $? ]
    ok $? "$what: plan says whether the index is written"
    cmp -s before public/devices/020000000001/manifest
    ok $? "$what: no manifest"
}

conf
ota-pack publish >/dev/null 2>&1
published 'delete' delete=old.py
shows 'version 2'
shows 'delete old.py'
published 'another delete' 'delete=old.py, older.py'
shows 'delete older.py'
the_same 'deletes in another order' 'delete=older.py, old.py'
published 'one delete less'
shows 'version 4'
published 'label' label=b
shows 'version 5'
published 'no label' label=
published 'hardware' hardware=3
published 'ram' ram=64K
published 'mode' mode=755
published 'other file' files=other.py
published 'back' ''
shows 'version 11'
published 'expires' expires=90d
shows 'version 11'
published 'another expires' expires=60d
published 'no expires'
shows 'version 11'
! grep -q 'expires *[0-9]' .out
ok $? 'it expires no more'
published 'raised version' version=20
shows 'version 20'
the_same 'auto again'
the_same 'keep' keep=5
the_same 'exclude' exclude=y.py
the_same 'name of the device' "devices={id: $id, name: shed}"
run 0 'its name' ota-pack status
says out shed
published 'name of the release' name=s
shows 'version 21'

# The same number with anything else, and a lower one.
the_same 'the number that it has' version=21 name=s
conf version=21 name=s label=c
run 3 'the number with another label' ota-pack publish
says err "version 21 of 's' is already published with other content"
conf version=21 name=s delete=b.py
run 3 'the number with another delete' ota-pack publish
says err "set 'version: 22' (or 'version: auto')"
conf version=7 name=s
run 3 'a lower number: plan' ota-pack plan --exit-code
run 3 'a lower number' ota-pack publish
says err "version 7 of 's' is below 21, which its devices have: set \
'version: 21' (or 'version: auto')"
conf version=7 name=s "devices=$id, \"02:00:00:00:00:02\""
run 3 'a lower number for a new device' ota-pack publish 02:00:00:00:00:02
says err 'is below 21'
conf version=30 name=s "devices=$id, \"02:00:00:00:00:02\""
run 0 'a higher one for a new device' ota-pack publish 02:00:00:00:00:02
run 0 'it is' ota-pack show public/devices/020000000002
tr -s ' ' <.out | grep -q '^ *version 30'
ok $? 'the number that was asked for'

# An older copy of all is put back: the documented cure.
conf name=s
ota-pack publish >/dev/null 2>&1
cp -a public backup
echo 3 >main.py
ota-pack publish >/dev/null 2>&1
rm -r public
mv backup public
echo 1 >main.py
conf name=s version=90
run 0 'the cure' ota-pack publish --accept-rollback
shows 'version 90'

# A cut publish does not hold a number against the one that is asked for.
conf name=s version=91
cp -a public whole
ota-pack publish >/dev/null 2>&1
cp public/devices/020000000001/manifest cut
rm -r public
mv whole public
forget
conf name=s version=95
run 0 'raised after a cut' ota-pack publish
shows 'version 95'

# A name that differs by case alone is another name.
mkdir lib
echo l >lib/Net.py
sed 's|"main.py", to: main.py|"lib/**", to: ""|' ota-pack.yml >x
mv x ota-pack.yml
conf_tree() {
    cat >ota-pack.yml <<END
key: release.key
server: public
releases:
  - {name: s, version: auto, files: ["*b/**"], devices: [$id]}
END
}
conf_tree
ota-pack publish >/dev/null 2>&1
mv lib/Net.py lib/net.py
run 10 'a file in another case' ota-pack plan --exit-code
says out '  - lib/Net.py'
says out '  + lib/net.py'
ota-pack publish >/dev/null 2>&1
mv lib Lib
run 10 'a folder in another case' ota-pack plan --exit-code
says out '  - lib/net.py'
says out '  + Lib/net.py'
run 0 'published' ota-pack publish
run 0 'both stand in no payload' ota-pack show public/devices/020000000001
! grep -q 'lib/net' .out
ok $? 'a DELETE beside a FILE of that name would be no payload'
done_testing

#!/bin/sh
# What a release installed once and does not now is deleted, from whichever
# version a device comes: folders that become files, and go, and come back.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/lib.sh"
ota-pack keygen -W release >/dev/null 2>&1
mkdir site
echo kew >site/020000000001
echo rye >site/020000000002

# conf FILE...: a release of these, and, with $own, one of each device's own.
conf() {
    {
        printf 'key: release.key\nserver: public\nreleases:\n'
        printf '  - name: r\n    version: auto\n'
        printf '    devices: ["02:00:00:00:00:01", "02:00:00:00:00:02"]\n'
        printf '    files:\n      - main.py\n'
        [ -z "$own" ] || printf '      - {from: "site/{id}", to: site}\n'
        for file; do
            printf '      - {from: main.py, to: %s}\n' "$file"
        done
    } >ota-pack.yml
}

# step FILE...: publishes them.
step() {
    conf "$@"
    run 0 "${own:+own, }files: $*" ota-pack publish
}

# deletes PATH: so does what device 1 is offered, whoever slept how long.
deletes() {
    ota-pack show public/devices/020000000001 >.out 2>.err
    grep -q "delete  *$1\$" .out
    ok $? "${own:+own, }deletes $1"
}

echo 1 >main.py
for own in '' yes; do
    rm -rf public "$XDG_STATE_HOME"
    step lib/a.py lib/b.py
    step
    deletes lib/a.py
    step lib
    step
    deletes lib/a.py
    deletes lib/b.py
    deletes lib
    # And a file that becomes a folder and goes.
    step data
    step data/x
    deletes data
    step
    deletes data
    deletes data/x
    deletes lib/a.py
    # Settings change: nothing is forgotten.
    printf '    label: x\n' >>ota-pack.yml
    run 0 'a label' ota-pack publish
    deletes lib/a.py
    deletes data/x
done

# A device that moves between releases in which the name is a file.
own=yes
rm -rf public "$XDG_STATE_HOME"
conf_two() {
    cat >ota-pack.yml <<END
key: release.key
server: public
releases:
  - name: old
    version: auto
    files: [main.py, {from: main.py, to: lib/a.py}]
    devices: ["02:00:00:00:00:02"$1]
  - name: new
    version: auto
    files: [main.py$3]
    devices: ["02:00:00:00:00:03"$2]
END
}
conf_two ', "02:00:00:00:00:01"' '' ', {from: main.py, to: lib}'
ota-pack publish >/dev/null 2>&1
sed 's|, {from: main.py, to: lib/a.py}||' ota-pack.yml >x
mv x ota-pack.yml
ota-pack publish >/dev/null 2>&1
sed '/^  - name: old/,/devices/s|, "02:00:00:00:00:01"||
    s|\["02:00:00:00:00:03"|&, "02:00:00:00:00:01"|' ota-pack.yml >x
mv x ota-pack.yml
run 0 'it moves' ota-pack publish
says err "an earlier version installed 'lib/a.py'"
sed 's|, {from: main.py, to: lib}||' ota-pack.yml >x
mv x ota-pack.yml
run 0 'the file goes' ota-pack publish
deletes lib/a.py
deletes lib
done_testing

#!/bin/sh
# ota-pack unpack: everything or nothing, and nowhere else.
. "$(dirname "$0")/lib.sh"

pub=$vectors/release.pub
tree=$vectors/good/tree-w9.otab
new=$vectors/new

# same FOLDER: `out` equals it.
same() {
    diff -r "$1" out >/dev/null
    ok $? "equal to $(basename "$1")"
    rm -rf out
}

gone() {
    [ ! -e out ]
    ok $? "nothing is left"
    rm -rf out
}

run 0 "into a new folder" ota-pack unpack -k "$pub" -C out "$tree"
says out "tree-w9.otab: 7 files (156.3 KiB) written into 'out': "
says out "24:6f:28:aa:bb:01, version 7, full payload"
same "$new"
mkdir out
run 0 "into an empty one" ota-pack unpack -q -k "$pub" -C out "$tree"
silent out
same "$new"
mkdir real
ln -s real out
run 0 "into a folder behind a link" ota-pack unpack -k "$pub" -C out "$tree"
diff -r "$new" real >/dev/null
ok $? "equal to new"
rm -rf out real
ota-pack unpack -k "$pub" -C out - <"$tree" >.out 2>.err
ok $? "from standard input"
same "$new"
run 0 "as JSON" ota-pack unpack --json -k "$pub" --directory out "$tree"
cat >expected <<JSON
{"type":"unpack","file":"$tree","ok":true,"directory":"out","device":"246f28aabb01","version":7,"alternative":0,"files":7,"bytes":160008,"deletes":1,"v":1}
{"type":"summary","status":0,"errors":0,"v":1}
JSON
cmp -s expected .out
ok $? "to the letter"
same "$new"
run 0 "a dry run" ota-pack unpack -n -k "$pub" -C out "$tree"
says out "7 files (156.3 KiB) would be written into 'out'"
gone

# Modes: as stated, whatever the umask.
(
    umask 077
    ota-pack unpack -q -k "$pub" -C out "$vectors/good/slot-keys.otab"
)
[ "$(stat -c %a out/program.py)" = 755 ]
ok $? "a mode is set"
[ "$(stat -c %a out/.ota/slot/app)" = 600 ]
ok $? "the default is the umask's"
rm -rf out

# Where it may not write.
mkdir out
echo mine >out/mine
run 1 "a folder that is not empty" ota-pack unpack -k "$pub" -C out "$tree"
says err "the folder 'out' is not empty: name an empty or a new one"
[ "$(ls out)" = mine ]
ok $? "it is left alone"
rm -rf out
touch out
run 1 "a file" ota-pack unpack -k "$pub" -C out "$tree"
says err "ota-pack: cannot use the folder 'out': Not a directory"
rm out
run 1 "below a folder that is not there" \
    ota-pack unpack -k "$pub" -C no/where "$tree"
says err "cannot use the folder 'no/where': No such file or directory"

# Refused: nothing is left, at whatever point.
length=$(wc -c <"$tree")
for part in 100 300 5000 100000 $((length - 1)); do
    head -c "$part" "$tree" >cut.otab
    run 9 "$part bytes of it" ota-pack unpack -k "$pub" -C out cut.otab
    says out "cut.otab: truncated: "
    gone
done
run 9 "another device's" \
    ota-pack unpack -k "$pub" --device 24:6f:28:aa:bb:ff -C out "$tree"
says out "device: made for another device"
gone
mkdir out
run 9 "into an empty folder" ota-pack unpack -k "$pub" -C out cut.otab
[ -d out ] && [ -z "$(ls -A out)" ]
ok $? "the folder was not ours and stays, empty"
rm -rf out
run 9 "refused, as JSON" ota-pack unpack --json -k "$pub" -C out cut.otab
says out '{"type":"unpack","file":"cut.otab","ok":false,"error":"truncated",'
gone

# The disk is full.
(
    ulimit -f 16
    ota-pack unpack -k "$pub" -C out "$tree" >.out 2>.err
)
[ $? -eq 1 ]
ok $? "a file that cannot grow (exit 1)"
says err "ota-pack: cannot write 'out/data.bin': File too large"
gone

# Signals: what was written is removed.  The pipe never ends.
mkfifo pipe
exec 9<>pipe
head -c 60000 "$tree" >&9
ota-pack unpack -k "$pub" -C out - <pipe >.out 2>.err &
pid=$!
tries=0
while [ ! -e out/data.bin ] && [ $tries -lt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
[ -e out/data.bin ]
ok $? "a bundle is half unpacked"
kill -TERM $pid
wait $pid
[ $? -eq 143 ]
ok $? "SIGTERM (exit 143)"
says err 'ota-pack: stopping'
gone
head -c 60000 "$tree" >&9
timeout --preserve-status -s INT 0.5 \
    ota-pack unpack -k "$pub" -C out - <pipe >.out 2>.err
[ $? -eq 130 ]
ok $? "SIGINT (exit 130)"
gone
exec 9>&-

# A delta: what it does not touch comes from the base.
cp -r "$vectors/base" base
chmod -R u+w base
mkdir -p base/.ota/slot base/sub
echo state >base/.ota/state
echo notes >base/sub/notes.txt
chmod 600 base/sub/notes.txt
ln -s notes.txt base/sub/link
delta=$vectors/good/delta
run 0 "a delta" ota-pack unpack -k "$pub" --base base -C out "$delta"
says out "version 8, delta 1 of 1"
says err "ota-pack: warning: 'base/sub/link' is not a file: left out"
[ "$(cat out/sub/notes.txt)" = notes ] &&
    [ "$(stat -c %a out/sub/notes.txt)" = 600 ]
ok $? "another file of the base is there, with its mode"
[ ! -e out/.ota ] && [ ! -e out/old.py ] && [ ! -e out/sub/link ]
ok $? ".ota, a deleted file and a link are not"
rm -rf out/sub
same "$new"
rm -rf base/.ota base/sub
mkdir base/out
run 0 "into a folder in the base" \
    ota-pack unpack -q -k "$pub" --base base -C base/out "$delta"
diff -r "$new" base/out >/dev/null
ok $? "equal to new"
rm -rf base/out
echo more >>base/lib/net/mqtt.py
run 0 "a base that differs in a later file" \
    ota-pack unpack -k "$pub" --base base -C out "$delta"
says out "full payload"
same "$new"
rm -rf base/*
run 0 "an empty base" ota-pack unpack -k "$pub" --base base -C out "$delta"
says out "full payload"
same "$new"
cp -r "$vectors"/base/* base
chmod -R u+w base
mkdir "base/café.txt"
echo below >"base/café.txt/below"
run 1 "a base with a folder in a file's place" \
    ota-pack unpack -k "$pub" --base base -C out "$delta"
says err "cannot make the folder of 'out/café.txt/below': "
gone

# The command line.
run 2 "no key, no folder, no file" ota-pack unpack
says err "unpack needs a public key: -k PUB"
says err "unpack needs a folder to write to: -C DIR"
says err "unpack takes one FILE"
run 2 "two files" ota-pack unpack -k "$pub" -C out "$tree" "$tree"
says err "unpack takes one FILE"
gone
run 4 "a file that is not there" ota-pack unpack -k "$pub" -C out nowhere
says err "cannot open 'nowhere': No such file or directory"
gone

done_testing

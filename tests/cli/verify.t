#!/bin/sh
# ota-pack verify: what it says, and how it ends.
. "$(dirname "$0")/lib.sh"

pub=$vectors/release.pub
device=24:6f:28:aa:bb:01
cp -r "$vectors/good" "$vectors/bad" .
chmod -R u+w good bad

run 0 "a bundle" ota-pack verify --time 1800000000 -k "$pub" good/one.otab
says out "good/one.otab: ok ($device, version 7, label 'vector', full payload)"
silent err
run 0 "a public key as text" \
    ota-pack verify -k "$(tail -n 1 "$pub")" good/one.otab
run 0 "one of several keys" \
    ota-pack verify -k "$vectors/other.pub" -k "$pub" good/one.otab
run 0 "quiet" ota-pack verify -q -k "$pub" good/one.otab
silent out
silent err
run 0 "verbose says which device" ota-pack verify -v -k "$pub" good/one.otab
says err "no --device: each bundle is read as the device that it is for"
ota-pack verify -k "$pub" - <good/one.otab >.out 2>.err
ok $? "standard input"
says out "-: ok ("
run 0 "a dry run is the same" ota-pack verify -n -k "$pub" good/one.otab
says out "good/one.otab: ok ("

# Refusals.
run 9 "a damaged one" ota-pack verify -k "$pub" bad/chunk.otab
says out "bad/chunk.otab: chunk: a chunk of the payload is damaged"
run 9 "quiet is not silent then" ota-pack verify -q -k "$pub" bad/chunk.otab
says out "bad/chunk.otab: chunk: "
run 9 "several files" \
    ota-pack verify -k "$pub" bad/chunk.otab good/one.otab bad/magic.otab
says out "good/one.otab: ok"
says out "bad/magic.otab: magic: not a bundle"
run 9 "a key that is not trusted" \
    ota-pack verify -k "$vectors/other.pub" good/one.otab
says out "unknown-key: signed by a key that is not trusted here (key id "
run 9 "another device" \
    ota-pack verify -k "$pub" --device 24-6f-28-aa-bb-02 good/one.otab
says out "device: made for another device (it is for $device)"
run 9 "a version that is not above" \
    ota-pack verify -k "$pub" --above 7 good/one.otab
says out "(it is version 7, the highest is 7)"
run 0 "a version that is" ota-pack verify -k "$pub" --above 6 good/one.otab
run 9 "other hardware" \
    ota-pack verify -k "$pub" --hardware 3 bad/hardware.otab
says out "(it is for hardware 7, this is 3)"
run 0 "its own hardware" ota-pack verify -k "$pub" --hardware 7 bad/hardware.otab
run 9 "past its time" ota-pack verify --time 1800000000 -k "$pub" bad/expired.otab
says out "bad/expired.otab: expired: "
run 0 "without a clock" ota-pack verify --time 0 -k "$pub" bad/expired.otab
run 9 "the path is named" ota-pack verify -k "$pub" bad/content.otab
says out "(at 'program.py')"

# JSON, to the letter.
run 9 "JSON" ota-pack verify --json -k "$pub" good/one.otab bad/magic.otab
cat >expected <<'JSON'
{"type":"verify","file":"good/one.otab","ok":true,"v":1}
{"type":"verify","file":"bad/magic.otab","ok":false,"error":"magic","message":"not a bundle","v":1}
{"type":"summary","status":9,"errors":1,"v":1}
JSON
cmp -s expected .out
ok $? "an object a file, then the summary"
silent err

# Encrypted.
hex=$(sed -n 's/^ "device_key": "\(.*\)",$/\1/p' "$vectors/index.json")
echo "$hex" >device.key
run 9 "no device key" ota-pack verify -k "$pub" good/encrypted.otab
says out "device-key: encrypted"
run 0 "the device key" \
    ota-pack verify -k "$pub" --device-key device.key good/encrypted.otab
echo "$hex" | tr 1 2 >wrong.key
run 9 "a wrong one" \
    ota-pack verify -k "$pub" --device-key wrong.key good/encrypted.otab
for text in "" xyz "$hex$hex" "${hex}0"; do
    echo "$text" >broken.key
    run 6 "not a key: '$text'" \
        ota-pack verify -k "$pub" --device-key broken.key good/encrypted.otab
    says err "'broken.key' is not a device key (64 hex digits)"
done
run 6 "a key file that is not there" \
    ota-pack verify -k "$pub" --device-key nowhere good/encrypted.otab
says err "cannot read the device key 'nowhere': No such file or directory"

# Manifests in folders.
run 0 "payloads beside the manifest" \
    ota-pack verify -k "$pub" good/delta/manifest
says out "version 8, label 'vector', full payload)"
run 0 "the folder of a device" ota-pack verify -k "$pub" good/delta
mkdir -p public/devices/246f28aabb01 elsewhere
cp good/delta/manifest public/devices/246f28aabb01
cp -r good/delta/payloads public
run 0 "the server's layout" \
    ota-pack verify -k "$pub" public/devices/246f28aabb01/manifest
cd public/devices/246f28aabb01 || exit 1
run 0 "the same from within" ota-pack verify -k "$pub" manifest
cd "$work" || exit 1
mv public/payloads elsewhere
run 9 "no payload" ota-pack verify -k "$pub" public/devices/246f28aabb01
says out "truncated: it ends before it should"
says out "': name the folder of payloads with --payloads)"
run 0 "--payloads" ota-pack verify -k "$pub" --payloads elsewhere/payloads \
    public/devices/246f28aabb01
ota-pack verify -k "$pub" --payloads elsewhere/payloads - \
    <good/delta/manifest >.out 2>.err
ok $? "a manifest on standard input"
for payload in elsewhere/payloads/??/*; do
    printf 'x' >>"$payload"
done
run 9 "a byte too many" ota-pack verify -k "$pub" \
    --payloads elsewhere/payloads public/devices/246f28aabb01
says out "trailing: "


# A folder from elsewhere: no pipe in it holds the reader up.
cp -r good/delta evil
rm evil/payloads/fd/* evil/payloads/52/*
mkfifo evil/payloads/fd/fdf4ca22cfc9de7822a81ebb91910e6f0c8d28ef920c56719e52d176ff816c93
run 4 "a pipe for a payload" timeout 10 ota-pack verify -k "$pub" evil
says err "' is not a regular file"
rm evil/payloads/fd/* evil/manifest
mkdir evil/payloads/fd/fdf4ca22cfc9de7822a81ebb91910e6f0c8d28ef920c56719e52d176ff816c93
run 4 "a folder for a payload" \
    ota-pack verify -k "$pub" --payloads evil/payloads good/delta/manifest
says err "' is not a regular file"
mkfifo evil/manifest
run 4 "a pipe for a manifest" timeout 10 ota-pack verify -k "$pub" evil
says err "'evil/manifest' is not a regular file"
mkfifo pipe
cat good/one.otab >pipe &
run 0 "a pipe that was named" timeout 10 ota-pack verify -k "$pub" pipe

# Deltas.
run 0 "the delta, where its base is" \
    ota-pack verify -k "$pub" --base "$vectors/base" good/delta/manifest
says out ", delta 1 of 1)"
cp -r "$vectors/base" base
chmod -R u+w base
echo more >base/notes.txt
run 0 "other files do not matter" \
    ota-pack verify -k "$pub" --base base good/delta/manifest
says out ", delta 1 of 1)"
echo more >>base/data.bin
run 0 "a base that differs: the full one" \
    ota-pack verify -k "$pub" --base base good/delta/manifest
says out ", full payload)"
cp "$vectors/base/data.bin" data.bin
ln -sf ../data.bin base/data.bin
run 0 "a base behind a link: the full one" \
    ota-pack verify -k "$pub" --base base good/delta/manifest
says out ", full payload)"
run 4 "a base that is not there" \
    ota-pack verify -k "$pub" --base nowhere good/delta/manifest
says err "cannot open the folder 'nowhere': No such file or directory"
rm good/delta/payloads/52/*
run 9 "a delta that is missing" \
    ota-pack verify -k "$pub" --base "$vectors/base" good/delta/manifest
says out "truncated: "

# Files that cannot be read; the first error counts.
run 4 "a file that is not there" ota-pack verify -k "$pub" nowhere
says err "ota-pack: cannot open 'nowhere': No such file or directory"
run 4 "a folder without a manifest" ota-pack verify -k "$pub" elsewhere
says err "'elsewhere' is not a device's folder: it has no 'manifest'; give public/devices/ID"
run 4 "first unreadable, then refused" \
    ota-pack verify -k "$pub" nowhere bad/magic.otab
says out "bad/magic.otab: magic: "
run 9 "first refused, then unreadable" \
    ota-pack verify -k "$pub" bad/magic.otab nowhere
says err "cannot open 'nowhere'"

# The command line.
run 2 "no key" ota-pack verify good/one.otab
says err "verify needs a public key: -k PUB"
run 2 "no file" ota-pack verify -k "$pub"
says err "verify needs a FILE"
run 2 "no device id" ota-pack verify -k "$pub" --device 24:6f:28 good/one.otab
says err "'24:6f:28' is not a device id (6 or 8 hex pairs)"
run 2 "too many keys" ota-pack verify -k "$pub" -k "$pub" -k "$pub" -k "$pub" \
    -k "$pub" good/one.otab
says err "a device trusts at most 4 keys"
run 6 "a key that is none" ota-pack verify -k bad/text.otab good/one.otab
run 6 "a key that is not there" ota-pack verify -k nowhere good/one.otab
run 2 "--above" ota-pack verify -k "$pub" --above 2147483648 good/one.otab
says err "'2147483648' is not a number from 0 to 2147483647 (option --above)"
run 2 "--hardware" ota-pack verify -k "$pub" --hardware 65536 good/one.otab
run 2 "--time" ota-pack verify -k "$pub" --time now good/one.otab

done_testing

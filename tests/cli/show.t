#!/bin/sh
# ota-pack show: a bundle or manifest for people and for scripts.
. "$(dirname "$0")/lib.sh"

pub=$vectors/release.pub
cp -r "$vectors/good" "$vectors/bad" .
chmod -R u+w good bad

run 0 "a bundle" ota-pack show good/one.otab
cat >expected <<'TEXT'
good/one.otab: a bundle
  device      24:6f:28:aa:bb:01
  hardware    any
  version     7
  label       vector
  created     2026-11-18 11:06:40Z
  expires     never
  release     6d9e4f15fd68d4e4d74102e4cd4378f0
  encrypted   no
  signed by   5f69fd85b44e3dcd
  signature   not checked (give a key with -k)

payloads
  1  full: 427 B, writes 900 B in 1 record
     window 12 (4096 bytes), chunks up to 1024 bytes, reader memory MEMORY bytes
     9259b428843e94d57035e64837f863a1c501c7a7236cbcddcaf98dd768722b03

records of payload 1
  file   644       900 B  program.py
  1 record, 900 B from 427 B (47.4 %)
TEXT
sed 's/memory [0-9]* bytes/memory MEMORY bytes/' .out | cmp -s expected -
ok $? "to the letter"
silent err
run 0 "the signature checked" ota-pack show -k "$pub" good/one.otab
says out "  signature   good"
run 9 "by a key that is not the right one" \
    ota-pack show -k "$vectors/other.pub" good/one.otab
says out "good/one.otab: unknown-key: signed by a key that is not trusted here"
! grep -q "version" .out
ok $? "then nothing else is said"
run 9 "a forged one" ota-pack show -k "$pub" bad/forged.otab
says out "bad/forged.otab: signature: "
run 0 "a forged one, unchecked" ota-pack show bad/forged.otab
says out "  signature   not checked"
run 0 "made for another device, past its time" \
    ota-pack show -k "$pub" bad/expired.otab
says out "  expires     2017-07-14 02:40:00Z"

# Slots, keys, deletions, deltas, hardware.
run 0 "a slot and keys" ota-pack show good/slot-keys.otab
says out "keys to be trusted from then on"
says out "  5f69fd85b44e3dcd"
says out "  0101010101010101"
says out "  slot   -      48.8 KiB  app"
says out "  file   755       900 B  program.py"
run 0 "a tree" ota-pack show good/tree-w15.otab
says out "  delete                  old.py"
says out "  file   644         8 B  café.txt"
run 0 "an EUI-64" ota-pack show good/eui64.otab
says out "  device      40:4c:ca:ff:fe:11:22:01"
run 0 "hardware" ota-pack show bad/hardware.otab
says out "  hardware    7"
run 0 "the folder of a device" ota-pack show good/delta
says out "good/delta: a manifest"
says out "  1  delta from 6e172b3d0ec3a4c1915c307933b02a01: 2.0 KiB"
says out "  2  full: 131.5 KiB"
says out "records of payload 2"
run 0 "its manifest, with the base" \
    ota-pack show --base "$vectors/base" good/delta/manifest
says out "records of payload 1"
says out "  file   644    30.0 KiB  lib/net/mqtt.py  (from what is installed)"

# What cannot be read.
mkdir alone
cp good/delta/manifest alone
run 0 "a manifest alone" ota-pack show alone/manifest
says out "  version     8"
says out "records: not shown: its payload is not at 'alone/../../payloads/fd/"
run 0 "encrypted" ota-pack show good/encrypted.otab
says out "  encrypted   yes"
says out "records: encrypted: give the device's key with --device-key"
sed -n 's/^ "device_key": "\(.*\)",$/\1/p' "$vectors/index.json" >device.key
run 0 "encrypted, with the key" \
    ota-pack show --device-key device.key good/encrypted.otab
says out "  file   644         8 B  café.txt"
tr 1 2 <device.key >wrong.key
run 9 "encrypted, with a wrong key" \
    ota-pack show --device-key wrong.key good/encrypted.otab
says out "good/encrypted.otab: device-key: "
run 9 "a damaged payload: the manifest is shown" \
    ota-pack show bad/chunk.otab
says out "  version     7"
says out "bad/chunk.otab: chunk: "
for name in short-0 short-95 magic window-16 label-esc version-0; do
    error=$(grep -A 1 "\"bad/$name.otab\"" "$vectors/index.json" |
        sed -n 's/.*"error": "\(.*\)",/\1/p')
    run 9 "$name" ota-pack show "bad/$name.otab"
    says out "bad/$name.otab: $error: "
done
run 4 "not there" ota-pack show nowhere
says err "ota-pack: cannot open 'nowhere': No such file or directory"
run 2 "no file" ota-pack show
says err "show takes one FILE, or the folder of a device (public/devices/ID)"
run 2 "two files" ota-pack show good/one.otab good/one.otab

# A folder that is no device's.
mkdir folder
run 4 "a folder without a manifest" ota-pack show folder/
says err "ota-pack: 'folder/' is not a device's folder: it has no 'manifest'; give public/devices/ID"

# No byte of any vector acts on the terminal.
for file in good/*.otab good/delta bad/*.otab; do
    ota-pack show "$file"
    ota-pack show --json "$file"
done >all 2>&1
! LC_ALL=C tr -d '\n\40-\176\200-\377' <all | grep -q .
ok $? "no control characters"

# JSON.
run 0 "JSON" ota-pack show --json -k "$pub" good/one.otab
cat >expected <<'JSON'
{"type":"show","file":"good/one.otab","form":"otab","device":"246f28aabb01","hardware":0,"version":7,"label":"vector","created":1795000000,"expires":0,"release":"6d9e4f15fd68d4e4d74102e4cd4378f0","encrypted":false,"key":"5f69fd85b44e3dcd","signature":"good","alternatives":[{"base":null,"size":427,"space":900,"window_bits":12,"chunk_max":1024,"records":1,"memory":0,"payload":"9259b428843e94d57035e64837f863a1c501c7a7236cbcddcaf98dd768722b03"}],"alternative":0,"bytes":900,"keys":[],"records":[{"record":"file","path":"program.py","mode":"644","size":900,"hash":"HASH","delta":false}],"v":1}
{"type":"summary","status":0,"errors":0,"v":1}
JSON
hash=$(sha512sum "$vectors/one/program.py" | cut -c 1-64)
sed -i "s/HASH/$hash/" expected
sed 's/"memory":[0-9]*/"memory":0/' .out | cmp -s expected -
ok $? "to the letter"
run 0 "JSON of a delta" \
    ota-pack show --json --base "$vectors/base" good/delta
says out '"form":"manifest"'
says out '"base":"6e172b3d0ec3a4c1915c307933b02a01","size":'
says out '{"record":"delete","path":"old.py"}'
says out '"delta":true}'
run 9 "JSON of a damaged payload" ota-pack show --json bad/chunk.otab
says out '{"type":"show","file":"bad/chunk.otab","ok":false,"error":"chunk"'

done_testing

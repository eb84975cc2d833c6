#!/bin/sh
# Where a device asks: several servers, keyed names, earlier keys; and deltas.
. "$(dirname "$0")/agent.sh"
fleet

# split OTAB FOLDER MANIFEST SIZE: puts a bundle where a server has it; SIZE is
# that of its alternative, 64 or 112.
split() {
    len=$(od -An -tu2 -j6 -N2 "$1" | tr -d ' ')
    name=$(od -An -v -tx1 -j$((len - 64 - $4 + 32)) -N32 "$1" | tr -d ' \n')
    sub=$2/payloads/$(echo "$name" | cut -c 1-2)
    mkdir -p "$(dirname "$2/$3")" "$sub"
    head -c "$len" "$1" >"$2/$3"
    tail -c +$((len + 1)) "$1" >"$sub/$name"
}

# log NAME LINE...: these requests came to that server, in this order.
log() {
    name=$1
    shift
    printf '%s\n' "$@" | cmp -s - "$name.log" || {
        sed "s/^/# $name: /" "$name.log"
        return 1
    }
}

# -- several servers, in turn
head -c 100000 /dev/urandom | od -An -tx1 >lib/net.py
publish 1
cp -r public mirror
mkdir dev
serve mirror b
second=$url
serve public a
settings "url = $second"
cp -a dev clean
payload=$(od -An -v -tx1 -j128 -N32 "public/devices/$device/manifest" | tr -d ' \n')
payload=/payloads/$(echo "$payload" | cut -c 1-2)/$payload
manifest=/devices/$device/manifest

try() { # WHAT STATUS RULE
    rm -rf dev
    cp -a clean dev
    rule "$3"
    : >b.log
    run "$2" "$1" agent poll --force
}
try 'the first server works' 10 ''
log b '' || [ ! -s b.log ]
ok $? 'the second one is not asked'
try 'the first one fails' 10 '/ status 503'
log a "503 $manifest?v=0&p=idle" &&
    log b "200 $manifest?v=0&p=idle" "200 $payload"
ok $? 'the second one is asked for all of it'
try 'the first one talks nonsense' 10 '/ html'
log b "200 $manifest?v=0&p=idle" "200 $payload"
ok $? 'the second one is asked'
try 'the first one lacks the payload' 10 '/payloads/ status 404'
log b "200 $payload"
ok $? 'the second one is asked for it'
try 'the first one breaks off' 10 '/payloads/ cut-once 90000'
grep -q "^206 $payload range=[0-9]*-\$" b.log
ok $? 'the second one goes on'
try 'the first one has the wrong payload' 10 "/payloads/ file /../$payload"
rm -rf dev
cp -a clean dev
cp "public$payload" good
printf 'damage' | dd of="public$payload" bs=1 seek=70000 conv=notrunc 2>/dev/null
try 'the first one has a damaged payload' 10 ''
grep -q "^206 $payload range=[0-9]*-\$" b.log
ok $? 'the second one goes on at the segment'
cp good "public$payload"
agent boot >/dev/null
agent confirm >/dev/null
rule '/ status 503'
: >b.log
agent poll >/dev/null 2>&1
run 0 'nothing new at the second one' agent poll --force
[ "$(tail -n 1 b.log)" = "304 $manifest?v=1&p=idle conditional" ]
ok $? 'the ETag is that of the one that answered'
echo '/ status 500' >b.rules
run 5 'both fail' agent poll --force
says err "no news: '$url$manifest' answered 503"
says err "no news: '$second$manifest' answered 500"

# -- a device key: the keyed name first
mkdir card
sed -n 's/^ "device_key": "\(.*\)",*$/\1/p' "$vectors/index.json" >device.key
keyed=$({
    printf 'ota-pack name'
    perl -ne 'chomp; print pack "H*", $_' device.key
} | sha512sum | cut -c 1-32)
[ ${#keyed} -eq 32 ]
ok $? "its name is $keyed"
split "$vectors/good/encrypted.otab" card "devices/$keyed/manifest" 112
serve card a
trusts=$vectors/release.pub identity=24:6f:28:aa:bb:01 clock=1800000000
settings 'device-key = device.key'
rm -rf dev
mkdir dev
rule
run 10 'an encrypted bundle' agent poll
grep -q "^200 /devices/$keyed/manifest?v=0&p=idle\$" a.log && asked 2
ok $? 'under its keyed name, asked for first'
agent boot >/dev/null
agent confirm >/dev/null
diff -r -x .ota "$vectors/new" dev
ok $? 'decrypted'
mv "card/devices/$keyed" card/devices/246f28aabb01
rule
run 0 'the keyed name is gone' agent poll
log a "404 /devices/$keyed/manifest?v=7&p=idle" \
    "200 /devices/246f28aabb01/manifest?v=7&p=idle"
ok $? 'the plain one is asked on 404'
rule
run 0 'the next time' agent poll
log a '304 /devices/246f28aabb01/manifest?v=7&p=idle conditional'
ok $? 'the one that answered is asked first'
rule
run 0 'without an ETag' agent poll --unconditional 1
[ "$(head -n 1 a.log)" = "404 /devices/$keyed/manifest?v=7&p=idle" ]
ok $? 'the keyed one again'
tr 0-9a-f 1-9a-f0 <device.key >wrong.key
rm -rf dev
mkdir dev
run 9 'another device key' agent poll --device-key wrong.key
says err 'encrypted, and there is no device key, or one that does not fit (device-key)'

# -- an earlier key
mkdir earlier
split "$vectors/good/slot-keys.otab" earlier \
    devices/246f28aabb01/manifest.5f69fd85b44e3dcd 64
sed 's/24:6f:28:00:00:01/24:6f:28:aa:bb:01/' ota-pack.yml >x && mv x ota-pack.yml
rm -rf public
forget
ota-pack publish >/dev/null 2>&1
cp -r public/* earlier/
serve earlier a
settings 'slot = app=slot.a,slot.b'
rm -rf dev
mkdir dev
base=/devices/246f28aabb01/manifest
run 10 'a manifest signed by a key that came later' agent poll
log a "200 $base?v=0&p=idle" "200 $base.5f69fd85b44e3dcd?v=0&p=idle" \
    "$(sed -n 3p a.log)" && asked 3
ok $? 'the last one of the key that is trusted is asked for'
run 10 'boot' agent boot
says out 'another firmware slot is active: restart needed'
[ "$(cat dev/.ota/slot.app)" = b ] && [ -s slot.b ] && [ ! -e slot.a ]
ok $? 'the slot'
agent boot >/dev/null
agent confirm >/dev/null
rule
run 0 'and is installed now' agent poll
new=$(od -An -v -tx1 -j10 -N8 dev/.ota/keys0 | tr -d ' \n' |
    sed 's/\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)\(..\)/\8\7\6\5\4\3\2\1/')
[ ${#new} -eq 16 ] && grep -q "$base.$new?" a.log
ok $? "the keys that the bundle brought are asked for, too ($new)"
rm -f dev/.ota/etag
rule "$base. status 503"
run 9 'no way to those of the keys that are trusted' agent poll
[ ! -e dev/.ota/etag ]
ok $? 'they are asked for again'
rm "earlier$base.5f69fd85b44e3dcd"
rule
run 9 'none of ours' agent poll --unconditional 1
says err "'$url$base': signed by a key that is not trusted here (unknown-key)"
says err 'publish with the key that this device trusts, or give it the new public key by hand'
rule
run 9 'and again' agent poll --force
! grep -q conditional a.log && [ ! -e dev/.ota/etag ]
ok $? 'is asked for each time: anybody could have answered that'
run 9 'whom this device trusts has changed' \
    agent poll --force --key "$work/release.pub" --key "$trusts"

# -- a delta
cat >ota-pack.yml <<EOT
key: $vectors/release.key
server: base/
releases:
  - name: base
    version: 7
    files:
      - {from: "$vectors/base/**", to: "", mode: "644"}
    devices: ["24:6f:28:aa:bb:01"]
EOT
ota-pack publish >/dev/null 2>"$work/.err"
ok $? 'a base for the vector'
mkdir next
cp -r "$vectors/good/delta/payloads" next/
mkdir -p next/devices/246f28aabb01
cp "$vectors/good/delta/manifest" next/devices/246f28aabb01/
serve base a
settings
rm -rf dev clean
mkdir dev
agent poll --now >/dev/null
agent confirm >/dev/null
diff -r -x .ota "$vectors/base" dev >/dev/null
ok $? 'the base is installed'
cp -a dev clean
serve next a
settings
cd next/payloads && delta=$(ls */522336438230* | head -n 1)
full=$(ls */fdf4ca22cfc9* | head -n 1)
cd "$work" || exit 1

run 10 'a delta' agent poll
log a "200 /devices/246f28aabb01/manifest?v=7&p=idle" "200 /payloads/$delta"
ok $? 'is what is fetched'
agent boot >/dev/null
agent confirm >/dev/null
diff -r -x .ota "$vectors/new" dev >/dev/null
ok $? 'and installed'

again() {
    rm -rf dev
    cp -a clean dev
    rule "$@"
}
again "/payloads/$delta status 404"
run 10 'the delta is gone' agent poll -v
says out 'the delta will not do: taking the full payload'
[ "$(tail -n 1 a.log)" = "200 /payloads/$full" ]
ok $? 'the full payload is fetched'
agent boot >/dev/null
diff -r -x .ota "$vectors/new" dev >/dev/null
ok $? 'and installed'
for file in data.bin lib/sensors.py; do # one that is patched, one that stays
    again
    echo '# edited by hand' >>dev/$file
    run 10 "$file was changed" agent poll -v
    says out 'the delta will not do: taking the full payload'
    agent boot >/dev/null
    diff -r -x .ota "$vectors/new" dev >/dev/null
    ok $? 'the full payload is installed'
done
again '/payloads/ status 404'
run 5 'neither is there' agent poll
says err 'version 8 is announced, but its payload is not there: later'
diff -r clean/lib dev/lib >/dev/null && is version 7
ok $? 'old'
done_testing

#!/bin/sh
# sign_command: another program signs; here openssl, without a script.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

if ! openssl genpkey -algorithm ed25519 >/dev/null 2>&1; then
    echo "1..0 # SKIP openssl is not installed, or knows no Ed25519"
    exit 0
fi
ota-pack keygen -qW release
# The seed, from byte 62 of the key file, behind the DER of RFC 8410.
{
    printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'
    sed -n 2p release.key | base64 -d | tail -c +63 | head -c 32
} >key.der
openssl pkey -inform DER -in key.der -out key.pem
rm release.key key.der
id=$(sed -n 's/^untrusted comment: minisign public key //p' release.pub |
    tr A-F a-f)
echo 'print(1)' >main.py

# config COMMAND: an ota-pack.yml whose sign_command that is.
config() {
    cat >ota-pack.yml <<X
key: release.pub
sign_command: $1
releases:
  - name: main
    version: 1
    files: [main.py]
    devices: ["24:6f:28:aa:bb:cc", "24:6f:28:aa:bb:cd"]
X
}

config '[openssl, pkeyutl, -sign, -rawin, -inkey, key.pem, -in, /dev/stdin]'
run 0 "openssl signs" ota-pack build -o out
run 0 "its bundles verify" ota-pack verify -k release.pub out/*/1.otab

cat >sign.sh <<'X'
#!/bin/sh
echo "$OTA_PACK_KEY_ID $OTA_PACK_DEVICE" >>"$LOG"
openssl pkeyutl -sign -rawin -inkey key.pem -in /dev/stdin | base64 -w 0
X
chmod +x sign.sh
config '[./sign.sh]'
rm -r out
run 0 "a script beside the configuration" \
    env LOG="$work/log" ota-pack build -o out
[ "$(sort log)" = "$id 246f28aabbcc
$id 246f28aabbcd" ]
ok $? "it is told key and device"

# left_behind WHAT: the process that has told its id in left is there still,
# and the last run did not wait for it.
left_behind() {
    kill -0 "$(cat left)" 2>/dev/null && [ $(($(date +%s) - begin)) -lt 20 ]
    ok $? "$1"
    kill "$(cat left)"
    rm left
}

# An agent that outlives its program, with the pipe open.
cat >agent.sh <<'X'
#!/bin/sh
sleep 25 2>&- &
[ -s left ] && kill $! || echo $! >left
openssl pkeyutl -sign -rawin -inkey key.pem -in /dev/stdin
X
chmod +x agent.sh
config '[./agent.sh]'
rm -r out
begin=$(date +%s)
run 0 "a program that leaves a process with the pipe open" \
    ota-pack build -j 1 -o out
left_behind "is done once its bytes are there"
run 0 "these verify" ota-pack verify -k release.pub out/*/1.otab

cat >lazy.sh <<'X'
#!/bin/sh
sleep 25 2>&- &
echo $! >left
exit 3
X
chmod +x lazy.sh
config '[./lazy.sh]'
rm -r out
begin=$(date +%s)
run 6 "one that fails" ota-pack build -j 1 -o out
says err "failed with exit status 3"
left_behind "is not waited for either"

# The same of a command for the password.
OTA_PACK_PASSWORD=secret ota-pack keygen -q locked
sed '/^sign_command/d; s/^key:.*/key: locked.key/' ota-pack.yml >x
mv x ota-pack.yml
begin=$(date +%s)
run 0 "a command for the password that leaves one" \
    env OTA_PACK_PASSWORD_COMMAND='sleep 25 2>&- & echo $! >left; echo secret' \
    ota-pack build -o out
left_behind "is done once the line is there"
run 0 "its bundles verify" ota-pack verify -k locked.pub out/*/1.otab

config '[sh, -c, "cat; echo oh no >&2; exit 3"]'
rm -r out
run 6 "a program that fails" ota-pack build -o out
says err "sign_command 'sh' for device 246f28aabbc"
says err "failed with exit status 3"
says err "oh no"
openssl genpkey -algorithm ed25519 -out key.pem
config '[openssl, pkeyutl, -sign, -rawin, -inkey, key.pem, -in, /dev/stdin]'
run 6 "another key" ota-pack build -o out
says err "made a signature that does not fit key $id"
[ -z "$(find out -type f 2>/dev/null)" ]
ok $? "no bundle is written"

# One that hangs, ended by a signal to ota-pack alone.
cat >hang.sh <<'X'
#!/bin/sh
echo $$ >pid
exec sleep 25 >&2
X
chmod +x hang.sh
config '[./hang.sh]'
ota-pack build -o out >"$work/.out" 2>"$work/.err" &
builder=$!
while [ ! -s pid ] && kill -0 $builder 2>/dev/null; do sleep 0.05; done
begin=$(date +%s)
kill -TERM $builder
wait $builder
[ $? -eq 143 ] && [ $(($(date +%s) - begin)) -lt 20 ]
ok $? "a signal ends the waiting"
says err "stopped while sign_command './hang.sh' was running"
! kill -0 "$(cat pid)" 2>/dev/null
ok $? "and the program"

done_testing

#!/bin/sh
# Keys go both ways between ota-pack and minisign.  A password costs scrypt's
# seconds and 1 GiB, so there are few.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

if ! command -v minisign >/dev/null; then
    echo "1..0 # SKIP minisign is not installed"
    exit 0
fi
echo 'print(1)' >main.py
cat >ota-pack.yml <<'X'
key: ${KEY}
releases:
  - name: main
    version: 1
    files: [main.py]
    devices: ["24:6f:28:aa:bb:cc"]
X

# builds KEY: with that key, and reads the bundle with its .pub.
builds() {
    rm -rf out
    KEY=$1.key
    export KEY
    run 0 "$1.key signs here" ota-pack build -o out
    run 0 "its .pub verifies" ota-pack verify -k "$1.pub" \
        out/246f28aabbcc/1.otab
}

# signs KEY: with minisign, and verifies there.
signs() {
    run 0 "minisign signs with $1.key" minisign -S -s "$1.key" -m main.py
    run 0 "and verifies with $1.pub" minisign -V -p "$1.pub" -m main.py
    run 0 "in its old format too" minisign -S -l -s "$1.key" -m main.py
    run 0 "which verifies" minisign -V -p "$1.pub" -m main.py
}

minisign -G -W -s theirs.key -p theirs.pub >/dev/null
builds theirs
run 0 "ours, without a password" ota-pack keygen -W ours
builds ours
signs ours
run 0 "minisign makes the .pub anew" minisign -R -s ours.key -p again.pub
# minisign leaves out leading zeros of the id in the comment.
[ "$(sed -n 2p ours.pub)" = "$(sed -n 2p again.pub)" ]
ok $? "the same one"
run 9 "another's .pub does not verify" ota-pack verify -k theirs.pub \
    out/246f28aabbcc/1.otab
cp theirs.pub ours.pub
run 6 "a .pub that is another's" ota-pack build -o out
says err "ours.pub"
says err "is not the public key of"

# With little memory minisign halves the cost until it fits, and says so in the
# file: quick, and another limit than the usual one.
printf 'open sesame\nopen sesame\n' >twice
prlimit --as=100000000 minisign -G -s locked.key -p locked.pub \
    <twice >.out 2>.err
ok $? "theirs, with a password"
echo 'open sesame' >password
export OTA_PACK_PASSWORD_FILE=password
builds locked
! grep -q sesame .out .err
ok $? "the password is not shown"
unset OTA_PACK_PASSWORD_FILE
rm -r out
run 6 "a wrong password" env OTA_PACK_PASSWORD='open sesam' \
    ota-pack build -o out
says err "wrong password for"
run 6 "no password" setsid -w ota-pack build -o out
says err "OTA_PACK_PASSWORD_FILE"
[ -z "$(find out -type f 2>/dev/null)" ]
ok $? "nothing is written"

# Once at full cost.
OTA_PACK_PASSWORD='open sesame' ota-pack keygen secret >.out 2>.err
ok $? "ours, with a password"
minisign -S -s secret.key -m main.py <password >.out 2>.err
ok $? "minisign unlocks it"
run 0 "and its signature is good" minisign -V -p secret.pub -m main.py

done_testing

#!/bin/sh
# Ctrl-C and SIGTERM while files are hashed and packed, how far that is, and
# when a password is asked for.
. "$(dirname "$0")/lib.sh"
ota-pack keygen -W release >/dev/null 2>&1 || exit 1
cat >ota-pack.yml <<'EOT'
key: release.key
server: public/
releases:
  - name: camera
    version: auto
    files: [big.bin]
    devices: ["24:6f:28:00:00:01", "24:6f:28:00:00:02"]
EOT
head -c 8388608 /dev/urandom >big.bin

# after SIGNAL COUNT COMMAND...: runs it with the signal at that read of the
# file, of 128 to hash it and then about as many to pack it.  Sets $status, and
# $reads: how many came after.  What a shell starts may ignore SIGINT.
after() {
    signal=$1 at=$2
    shift 2
    strace -f -qq -o trace -P "$work/big.bin" -e trace=read \
        -e "inject=read:signal=SIG$signal:when=$at" \
        perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' "$@" \
        >.out 2>.err </dev/null
    status=$?
    reads=$(sed '1,/--- SIG/d' trace | grep -c 'read(')
}

# stopped STATUS WHAT: it ended long before the file was read to its end.
stopped() {
    [ $status -eq "$1" ]
    ok $? "$2: exit $1, not $status"
    [ "$reads" -le 8 ]
    ok $? "$2: $reads more reads"
    says err 'ota-pack: stopping'
}

if can_trace; then
    after INT 40 ota-pack publish
    stopped 130 'Ctrl-C while it hashes'
    says err 'stopped: nothing was changed'
    [ ! -e public ]
    ok $? 'so it is'
    after TERM 40 ota-pack build
    stopped 143 'SIGTERM while build hashes'
    says err 'stopped: nothing was changed'
    for jobs in 1 4; do
        after TERM 180 ota-pack -j $jobs publish
        stopped 143 "SIGTERM while $jobs pack"
        says err 'stopped before any device was written: all have what they had'
        [ "$(wc -l <.err)" -eq 2 ]
        ok $? 'which is all that it says'
        [ ! -e public/devices ] && [ ! -e public/payloads ]
        ok $? 'nothing half made is there'
        flock -n public/lock true
        ok $? 'the lock is free'
    done
    after INT 180 ota-pack -q publish
    [ $status -eq 130 ] && ! grep -q stopping .err
    ok $? 'quietly'
    after INT 180 ota-pack --json publish
    [ $status -eq 130 ] && ! grep -q '^ota-pack: stopping' .err
    ok $? 'as JSON'
    after INT 180 ota-pack build
    stopped 130 'Ctrl-C while build packs'
    [ -z "$(find out -type f 2>/dev/null)" ]
    ok $? 'nothing half made is there'
    after USR1 180 ota-pack -j 1 publish
    [ $status -eq 0 ]
    ok $? 'SIGUSR1: it goes on'
    grep -qE '^ota-pack: packing [0-9.]+ MiB of 8.0 MiB' .err
    ok $? 'and says how far it is'
else
    ota-pack -q publish
fi

# -- the password is asked for before the lock is taken
export OTA_PACK_PASSWORD=secret
ota-pack keygen locked >/dev/null 2>&1
unset OTA_PACK_PASSWORD
rm -rf public
forget
mkdir public
sed -i 's/release.key/locked.key/' ota-pack.yml
echo 1 >big.bin
export OTA_PACK_PASSWORD_COMMAND='echo >>asked; flock -n public/lock echo secret'
run 0 'a first publish' ota-pack publish
echo 2 >big.bin
run 0 'for one device' ota-pack publish 24:6f:28:00:00:01
rm asked
run 0 'nothing to do for it' ota-pack publish 24:6f:28:00:00:01
[ ! -e asked ]
ok $? 'nothing is asked'
rm public/devices/246f28000001/manifest
run 0 'a repair' ota-pack verify --server --repair
[ -e asked ]
ok $? 'it is asked for'
done_testing

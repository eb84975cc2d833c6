#!/bin/sh
# A full disk, at any moment: the old state, the error space, nothing left.
. "$(dirname "$0")/agent.sh"
fleet
rm lib/sensor.py
publish 1
mkdir dev
serve public
settings
agent poll --now >/dev/null
agent confirm >/dev/null
echo 'import gc' >main.py
head -c 100000 /dev/urandom | od -An -tx1 >lib/net.py
publish 2
ota-pack build -o cards >/dev/null 2>&1
bundle=cards/$device/2.otab
cp -a dev start
old=$(files dev)

# clean: all old, nothing staged, and nothing that keeps a second try from
# working.
clean() {
    [ "$(files dev)" = "$old" ] && is phase idle version 1 failed 0 &&
        [ -z "$(find dev/.ota/new dev/.ota/old -type f 2>/dev/null)" ]
}

# -- each write and each new file fails, and all after it
if can_trace; then
    full() { # CALL N
        rm -rf dev
        cp -a start dev
        strace -f -o /dev/null -e trace="$1" \
            -e inject="$1:error=ENOSPC:when=$2+" \
            ota-agent -c agent.conf apply "$bundle" \
            >"$work/.out" 2>"$work/.err"
    }
    for call in pwrite64 mkdirat; do
        at=1
        wrong=0
        while full $call $at; [ $? -ne 10 ]; do
            grep -q '(space)' "$work/.err" && [ "$(files dev)" = "$old" ] ||
                break
            # the disk has room again
            agent apply "$bundle" >"$work/.out" 2>&1
            [ $? -eq 10 ] || break
            at=$((at + at / 8 + 1))
        done
        full $call $at
        [ $? -eq 10 ] && [ $at -gt 3 ]
        ok $? "$call fails from any moment on ($at): space, all old, then it works"
    done
    full pwrite64 20
    [ $? -eq 1 ]
    ok $? 'exit 1'
    says err "ota-agent: '$bundle': needs more space than the device has free: No space left on device"
fi

# -- a disk that is really full: a small one of our own
cat >small.sh <<'EOT'
mount -t tmpfs -o size=800k none dev || exit 99
cp -a start/. dev/
free() { stat -f -c '%a * %S' dev | sed 's/.*/echo $((&))/' | sh; }
# too full to begin
dd if=/dev/zero of=dev/filler bs=1k count=$(($(free) / 1024 - 200)) 2>/dev/null
ota-agent -c agent.conf poll --force >.out 2>.err
echo "begin $? $(grep -c '(space)' .err) $(find dev/.ota/new dev/.ota/old -type f 2>/dev/null | wc -l)"
rm dev/filler
# full while the payload comes
: >a.log
ota-agent -c agent.conf poll --force --deadline 3 >.out 2>.err &
until grep -q payloads a.log && [ -s dev/.ota/new/00/00/01 ]; do sleep 0.05; done
dd if=/dev/zero of=dev/filler bs=1k 2>/dev/null
wait $!
echo "stalled $?"
echo '/payloads/ none' >a.rules
ota-agent -c agent.conf poll --force >.out 2>.err
echo "full $? $(grep -c '(space)' .err) $(find dev/.ota/new dev/.ota/old -type f | wc -l)"
find dev/.ota -type f -printf '# %p %s\n'
cat .err >&2
rm dev/filler
ota-agent -c agent.conf poll --force >.out 2>.err
echo "room $?"
ota-agent -c agent.conf boot >.out 2>.err
cmp dev/lib/net.py lib/net.py && echo installed
EOT
if unshare -rm true 2>/dev/null && unshare -rm mount -t tmpfs none start 2>/dev/null; then
    rm -rf dev
    mkdir dev
    rule '/payloads/ stall 100000'
    unshare -rm sh small.sh >small.out 2>"$work/.err"
    cp small.out "$work/.out"
    says out 'begin 1 1 0'
    says out 'stalled 5'
    says out 'full 1 1 0'
    says out 'room 10'
    says out 'installed'
else
    echo '# SKIP a disk of our own: no right to mount one'
fi
done_testing

#!/bin/sh
# The lock of a folder: what is none of ours is left alone; file systems without
# locks; and two publishers, one of whom takes the other's.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config auto
lock=public/lock
if can_trace; then
    traces=yes
else
    traces=no
fi

# foreign WHAT: nothing is published, by force neither, and the lock stays.
foreign() {
    for force in '' --break-lock; do
        # shellcheck disable=SC2086 # it may be nothing
        run 5 "$1 $force" ota-pack publish $force
        says err "'public/lock' is not a lock that ota-pack made"
    done
    [ ! -e public/devices ]
    ok $? 'nothing is published'
}

mkdir public
echo 'of the user' >"$lock"
foreign 'a file'
[ "$(cat "$lock")" = 'of the user' ]
ok $? 'it has what it had'
cp release.key key.copy
ln -f release.key "$lock"
foreign 'another name of the key'
cmp -s release.key key.copy
ok $? 'the key is what it was'
rm "$lock"
# a snapshot by hard links gives the lock another name
for text in '' 'joe on far, process 7, since 2026-01-01T00:00:00Z'; do
    printf %s "$text" >snapshot
    ln -f snapshot "$lock"
    echo "x = '$text'" >>main.py
    run 0 'a lock with another name' ota-pack -q publish
    [ "$(cat snapshot)" = "$text" ] && [ "$(stat -c %i snapshot)" != "$(stat -c %i "$lock")" ]
    ok $? 'a lock of its own takes its place, the other is what it was'
done
rm -rf public && forget && mkdir public
ln -sf ../release.key "$lock"
foreign 'a link'
cmp -s release.key key.copy
ok $? 'the key is what it was'
rm "$lock"
mkfifo "$lock"
foreign 'a pipe'
rm "$lock"
mkdir "$lock"
foreign 'a folder'
rmdir "$lock"
head -c 600 /dev/zero >"$lock"
foreign 'more than a lock says'

# What a publisher leaves that was killed, or a power cut.
printf 'joe on far, process 7, since 2026-01-01T00:00:00Z\n' >"$lock"
run 0 'a lock that nobody holds' ota-pack -q publish
[ ! -s "$lock" ]
ok $? 'it is empty again'
printf 'b\303\274ro on h\374te, process 7, since 2026-01-01T00:00:00Z\n' >"$lock"
echo 'x = 0' >>main.py
run 0 'of a user and a host whose names are not ASCII' ota-pack -q publish
head -c 60 /dev/zero >"$lock"
echo 'x = 1' >>main.py
run 0 'one that a power cut made zeros' ota-pack -q publish

# A file system that says so to flock.
for error in ENOLCK EOPNOTSUPP ENOSYS; do
    [ "$traces" = yes ] || break
    echo "x = '$error'" >>main.py
    tree public >before
    run 8 "$error" strace -f -o /dev/null -e trace=flock \
        -e inject="flock:error=$error" ota-pack publish
    says err "its file system has no locks: make sure that nobody else"
    says err "with '--break-lock', which goes on without one"
    tree public | cmp -s - before
    ok $? 'nothing was written'
    run 0 "$error: without one" strace -f -o /dev/null -e trace=flock \
        -e inject="flock:error=$error" ota-pack publish --break-lock
    says err "'public' has no locks"
    whole 'it is published'
done

# Two at once.  One asks a person for a signature, while another one breaks its
# lock: whichever it asks for when that happens.
openssl genpkey -algorithm ed25519 >/dev/null 2>&1 || done_testing
{
    printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'
    sed -n 2p release.key | base64 -d | tail -c +63 | head -c 32
} >key.der
openssl pkey -inform DER -in key.der -out key.pem
cat >sign.sh <<'EOT'
#!/bin/sh
# Waits where it is asked for the signature number $WAIT.
if [ -n "${WAIT:-}" ]; then
    echo >>asked
    if [ "$(wc -l <asked)" -eq "$WAIT" ]; then
        touch waits
        while [ ! -e go ]; do sleep 0.02; done
    fi
fi
exec openssl pkeyutl -sign -rawin -inkey key.pem -in /dev/stdin
EOT
chmod +x sign.sh

# one FILE SOURCE: a fleet of one device.
one() {
    cat >"$1" <<EOT
key: release.pub
sign_command: [./sign.sh]
server: public/
releases:
  - name: r
    version: auto
    files: [{from: $2, to: main.py}]
    devices: ["24:6f:28:00:00:01"]
EOT
}

# offered: notes the number of what the device gets and whose it is.
offered() {
    rm -rf got
    ota-pack -q unpack -k release.pub -C got public/devices/246f28000001 &&
        echo "$(version 246f28000001) $(cat got/main.py)" >>offers
}

one a.yml a.py
one b.yml b.py
for wait in 1 2 3; do
    rm -rf public state offers asked waits go
    echo 'old' >a.py
    XDG_STATE_HOME="$work/state/a" ota-pack -q -c a.yml publish
    offered
    echo 'of a' >a.py
    echo 'of b' >b.py
    WAIT=$wait XDG_STATE_HOME="$work/state/a" ota-pack -q -c a.yml publish \
        >a.out 2>a.err &
    first=$!
    for _ in $(seq 500); do
        [ -e waits ] || sleep 0.02
    done
    run 0 "asked for signature $wait, another one publishes" \
        env XDG_STATE_HOME="$work/state/b" \
        ota-pack -q -c b.yml publish --break-lock
    offered
    touch go
    wait "$first"
    [ $? -ne 0 ] && grep -q 'somebody else' a.err
    ok $? 'the first says that it was not alone'
    offered
    last=$(tail -n 1 offers)
    run 0 'the next publish' env XDG_STATE_HOME="$work/state/b" \
        ota-pack -q -c b.yml publish
    run 0 'and the first one again' env XDG_STATE_HOME="$work/state/a" \
        ota-pack -q -c a.yml publish
    offered
    [ "$(sort -u offers | cut -d ' ' -f 1 | uniq -d)" = '' ]
    ok $? 'no number stands for two contents'
    [ "$(tail -n 1 offers | cut -d ' ' -f 1)" -gt "${last%% *}" ] &&
        grep -q 'of a' got/main.py
    ok $? 'and the device gets what is newest'
    sed 's/^/# /' offers a.err
done

# Nothing is published yet, or both start anew: the one who is late does not
# replace what the other one has published.
for anew in '' --new-base; do
    rm -rf public state asked waits go
    echo 'old' >a.py
    [ -z "$anew" ] || XDG_STATE_HOME="$work/state/a" \
        ota-pack -q -c a.yml publish
    echo 'of a' >a.py
    # shellcheck disable=SC2086 # it may be nothing
    WAIT=1 XDG_STATE_HOME="$work/state/a" ota-pack -q -c a.yml publish $anew \
        >a.out 2>a.err &
    first=$!
    for _ in $(seq 500); do
        [ -e waits ] || sleep 0.02
    done
    # shellcheck disable=SC2086 # it may be nothing
    run 0 "asked for its first head, another one publishes $anew" \
        env XDG_STATE_HOME="$work/state/b" \
        ota-pack -q -c b.yml publish --break-lock $anew
    tree public >before
    touch go
    wait "$first"
    [ $? -eq 5 ] && grep -q 'somebody else has published' a.err
    ok $? 'the first says that it was not alone'
    cp public/index/head head
    grep -q "$(cksum <./head)" before
    ok $? 'the head stays'
    run 0 'the next publish' env XDG_STATE_HOME="$work/state/b" \
        ota-pack -q -c b.yml publish
    silent err
    # shellcheck disable=SC2086 # it may be nothing
    run 0 'and the first one again' env XDG_STATE_HOME="$work/state/a" \
        ota-pack -q -c a.yml publish $anew
    last=$((1 + $(printf %s "$anew" | wc -w)))
    [ "$(version 246f28000001)" -eq $((last + 1)) ]
    ok $? 'goes above it'
done
done_testing

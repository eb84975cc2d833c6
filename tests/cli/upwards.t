#!/bin/sh
# The configuration is looked for upwards; verify and unpack take its key.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
mkdir -p deep/er
run 3 'no configuration anywhere' ota-pack check
says err "ota-pack: there is no 'ota-pack.yml' here or in a folder above"
says err "('ota-pack init' writes one, -c names another)"
config auto
cd deep/er || exit 1
run 0 'check from two folders below' ota-pack check
says out 'ok: 1 release, 3 devices, 3 files'
silent err
run 0 'publish' ota-pack publish
[ -e ../../public/index/head ] && [ -z "$(ls)" ]
ok $? 'its paths are seen from its folder'
for command in plan status doctor 'verify --server' prune 'build -n' \
    'publish -n' 'rollback greenhouse --to 1 -n'; do
    # shellcheck disable=SC2086
    run 0 "$command" ota-pack $command
done
echo 'x y' >../../main.py
sed -i 's/main.py/mian.py/' ../../ota-pack.yml
run 4 'a mistake' ota-pack check
says err '../../ota-pack.yml:8:9: error: '
sed -i 's/mian.py/main.py/' ../../ota-pack.yml
run 3 '-c is not looked for' ota-pack -c ota-pack.yml check
says err "cannot read 'ota-pack.yml': No such file or directory"
run 0 '-c of the same' ota-pack -c ../../ota-pack.yml check

# The nearest one is taken, whatever it is.
: >../ota-pack.yml
run 3 'the nearest' ota-pack check
says err '../ota-pack.yml'
rm ../ota-pack.yml
ln -s nowhere ../ota-pack.yml
run 3 'a broken link' ota-pack check
rm ../ota-pack.yml

run 0 'init below another' ota-pack init -W -n
says err "commands in this folder used '../../ota-pack.yml'; from now on they \
use the 'ota-pack.yml' in it"
run 0 'init where -c says' ota-pack init -W -n -c new/ota-pack.yml
silent err

# Somebody else's could run commands of theirs.
if [ "$(id -u)" -eq 0 ]; then
    chown 12345 ../../ota-pack.yml
    run 3 "another user's" ota-pack check
    says err "'../../ota-pack.yml' or its folder belongs to another user"
    run 0 'by -c' ota-pack -c ../../ota-pack.yml check
    chown 0 ../../ota-pack.yml
    chown 12345 ../..
    run 3 "another user's folder" ota-pack check
    chown 0 ../..
else
    ok 0 "another user's # SKIP not root"
fi

# verify and unpack.
cd ../.. || exit 1
manifest=public/devices/246f28000001/manifest
run 0 'verify without -k' ota-pack verify "$manifest"
says out "$manifest: ok ("
silent err
run 0 'which key' ota-pack verify -v "$manifest"
says err "ota-pack: note: the key that is trusted is "
run 0 'unpack without -k' ota-pack unpack -q -C out "$manifest"
[ -e out/main.py ]
ok $? 'it is there'
cd deep || exit 1
run 0 'verify from below' ota-pack verify "../$manifest"
ota-pack keygen -W other >/dev/null
run 9 '-k goes before it' ota-pack verify -k other.pub "../$manifest"
mkdir -p strange && cd strange || exit 1
ota-pack init -q -W
run 9 "another configuration's" ota-pack verify "../../$manifest"
cd "$work" && mv ota-pack.yml none.yml
run 2 'no configuration' ota-pack verify "$manifest"
says err "verify needs a public key: -k PUB, or the folder of an 'ota-pack.yml'"
run 2 'unpack' ota-pack unpack -C new "$manifest"
says err 'unpack needs a public key: -k PUB'
# A stranger's folder brings no key of its own.
mv none.yml public/ota-pack.yml
run 2 'one beside the bundle' ota-pack verify "$manifest"
mv public/ota-pack.yml .

if ! has_terminal; then
    ok 0 'a terminal # SKIP script(1) is not there'
    done_testing
fi
# terminal COMMAND...: its output, as a terminal has it, in .out.
terminal() {
    TERM=dumb script -qec "$*" /dev/null </dev/null 2>"$work/.err" |
        tr -d '\r' >"$work/.out"
}
cd deep || exit 1
terminal ota-pack check
says out "ota-pack: note: using '../ota-pack.yml'"
terminal ota-pack check -q
silent out
terminal ota-pack check --json
! grep -q using "$work/.out"
ok $? '--json has objects alone'
cd .. || exit 1
terminal ota-pack check
! grep -q using "$work/.out"
ok $? 'here it is not said'
done_testing

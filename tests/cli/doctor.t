#!/bin/sh
# doctor on folders: what it finds, as text and as objects, and its exit status.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config 1

run 0 'a folder that is not there yet' ota-pack doctor
cat >want <<'EOT'
key         ok      release.key
public/:
reachable   ok      a folder
index       ok      nothing is published yet
lock        ok      nobody publishes
writable    ok      read back byte for byte
atomic      ok      each object is whole, or not there
EOT
cmp -s want .out
ok $? 'a line a check'
silent err
[ -z "$(find public -type f ! -name lock)" ] && [ ! -e public/devices/doctor ]
ok $? 'nothing of it stays'
run 0 'publish' ota-pack publish -q
tree public >before
run 0 'a folder with something in it' ota-pack doctor --json
cat >want <<'EOT'
{"type":"check","server":null,"check":"key","result":"ok","found":"release.key","advice":null,"v":1}
{"type":"check","server":"public/","check":"reachable","result":"ok","found":"a folder","advice":null,"v":1}
{"type":"check","server":"public/","check":"index","result":"ok","found":"signed by our key","advice":null,"v":1}
{"type":"check","server":"public/","check":"lock","result":"ok","found":"nobody publishes","advice":null,"v":1}
{"type":"check","server":"public/","check":"writable","result":"ok","found":"read back byte for byte","advice":null,"v":1}
{"type":"check","server":"public/","check":"atomic","result":"ok","found":"each object is whole, or not there","advice":null,"v":1}
{"type":"summary","status":0,"errors":0,"ok":6,"warnings":0,"v":1}
EOT
cmp -s want .out
ok $? 'an object a check'
tree public | cmp -s - before
ok $? 'all is as before'
stamp public >before
run 0 'writing nothing' ota-pack doctor -n
stamp public | cmp -s - before
ok $? 'nothing was written'
run 0 'quietly' ota-pack doctor -q
silent out

# -- what publish refuses
cp -a public whole
for object in public/index/*; do
    [ "$object" != public/index/head ] || continue
    : >"$object"
    run 5 "damaged: ${object##*/}" ota-pack doctor
    says out 'index       error'
    says out 'publish refuses it, too'
done
rm -rf public
mv whole public

# -- a device that is gone, and whose manifest has expired
cp ota-pack.yml kept.yml
sed 's|    devices:|    expires: 30d\n&|' kept.yml >ota-pack.yml
XDG_STATE_HOME="$work/old" SOURCE_DATE_EPOCH=$(($(date +%s) - 86400 * 40)) \
    ota-pack -q publish 2>/dev/null
grep -v '24:6f:28:00:00:02' ota-pack.yml >x
mv x ota-pack.yml
(unset SOURCE_DATE_EPOCH && XDG_STATE_HOME="$work/old" ota-pack -q publish)
run 0 'it is no error' env -u SOURCE_DATE_EPOCH XDG_STATE_HOME="$work/old" \
    ota-pack doctor
rm -rf public
mv kept.yml ota-pack.yml
forget
ota-pack -q publish

# -- what is not well
chmod 640 release.key
run 0 'a key for others' ota-pack doctor
says out 'key         warning others on this machine can read it'
says out '                    chmod 600 it'
mv release.key away.key
run 6 'no secret key' ota-pack doctor
says out "key         error   there is no key file 'release.key'"
mv away.key release.key
chmod 600 release.key
ota-pack keygen -W other >/dev/null 2>&1
sed 's/^key: .*/key: other.key/' ota-pack.yml >other.yml
run 6 'another key' ota-pack doctor -c other.yml
says out 'index       error'
silent err
sed 's/^key: .*/key: none.key/' ota-pack.yml >none.yml
run 6 'no key at all' ota-pack doctor -c none.yml
says out 'key         error'
says out 'lock        ok'
run 6 'the same as objects' ota-pack doctor -c none.yml --json
says out '"check":"key","result":"error"'
says out '{"type":"summary","status":6,"errors":1,'
perl -MFcntl=:flock -e 'open F, "+<public/lock"; flock F, LOCK_EX;
    sleep 30' &
holder=$!
sleep 0.3
run 0 'while another publishes' ota-pack doctor
says out "lock        warning 'public' is being published to by "
kill $holder
wait $holder 2>/dev/null
echo 'in the way' >file
sed 's/^server: .*/servers: [file, public\/]/' ota-pack.yml >two.yml
run 5 'a file where the folder is to be' ota-pack doctor -c two.yml
says out "reachable   error   cannot open 'file'"
says out 'writable    ok'
run 5 'only errors' ota-pack doctor -q -c two.yml
says out "reachable   error   cannot open 'file'"
[ "$(wc -l <.out)" -eq 3 ]
ok $? 'with their server and advice'

# -- how it is called
run 2 'a word too many' ota-pack doctor greenhouse
says err "doctor takes no 'greenhouse'"
sed '/^server: /d' ota-pack.yml >without.yml
run 3 'no server' ota-pack doctor -c without.yml
says err "has no 'server'"
done_testing

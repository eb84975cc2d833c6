#!/bin/sh
# ota-pack init: what a newcomer starts from; nothing is overwritten.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

mkdir empty && cd empty || exit 1
run 0 "in an empty folder" ota-pack init -W
says out "written ota-pack.yml"
says out "written release.key"
says out "back up release.key now: devices trust only this key"
says out "ota-pack check"
says out "ota-pack plan"
says out "ota-pack publish"
silent err
[ "$(LC_ALL=C ls -A)" = ".gitignore
main.py
ota-pack.yml
release.key
release.pub" ]
ok $? "five files"
grep -qx '/release.key' .gitignore
ok $? "git ignores the secret"
! grep -n '[0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f]' ota-pack.yml | grep -v '"'
ok $? "each MAC is quoted"
! LC_ALL=C grep -n '.\{81\}' ota-pack.yml >"$work/.out"
ok $? "80 columns"
run 0 "the three commands that it names: check" ota-pack check
run 0 "plan" ota-pack plan
run 0 "publish" ota-pack publish
[ -f public/devices/020000000001/manifest ]
ok $? "a manifest is there"

cat ./.gitignore ./*.* >"$work/before"
run 0 "a second time" ota-pack init -W
says out "kept    ota-pack.yml: it was there already"
says out "kept    release.key: it was there already"
says out "kept    .gitignore: it was there already"
cat ./.gitignore ./*.* | cmp -s - "$work/before"
ok $? "all is as before"

cd "$work" && mkdir python && cd python || exit 1
echo 'print(1)' >sensor.py
printf '*.pyc' >.gitignore
run 0 "a dry run" ota-pack init -nW
says out "would be written ota-pack.yml"
says out "would be added   .gitignore"
[ "$(ls)" = sensor.py ] && [ "$(cat .gitignore)" = '*.pyc' ]
ok $? "writes nothing"
run 0 "beside a program" ota-pack init -W
says out "added   .gitignore"
[ "$(cat .gitignore)" = "*.pyc
/release.key" ]
ok $? "a line is added, behind a newline that lacked"
[ ! -e main.py ]
ok $? "no sample is put beside it"
run 0 "it is packed" ota-pack check
run 0 "quietly" ota-pack init -qW
silent out

cd "$work" && mkdir other && cd other || exit 1
echo hello >firmware.txt
echo '*.key' >.gitignore
run 0 "beside something else, as JSON" ota-pack init --json -W
says out '{"type":"file","path":".gitignore","state":"kept","v":1}'
says out '{"type":"file","path":"ota-pack.yml","state":"written","v":1}'
[ ! -e main.py ]
ok $? "no sample either"
run 4 "check says what lacks" ota-pack check
says err "main.py"

cd "$work" || exit 1
mkdir far
run 0 "elsewhere" ota-pack -c far/fleet.yml init -W
[ -f far/fleet.yml ] && [ -f far/release.key ] && [ -f far/.gitignore ]
ok $? "key and .gitignore lie beside the configuration"
says out "  ota-pack -c far/fleet.yml check     finds"
says out "fills the folder far/public/"
run 0 "and check finds them" ota-pack -c far/fleet.yml check
silent err

mkdir locked && cd locked || exit 1
run 6 "no terminal to ask for a password" setsid -w ota-pack init
says err "set OTA_PACK_PASSWORD_FILE"
says err "-W makes a key without a password"
[ -z "$(ls -A)" ]
ok $? "and nothing is written"
echo mine >release.pub
run 6 "a .pub without its key" ota-pack init -W
says err "'release.pub' already exists"
[ "$(cat release.pub)" = mine ] && [ ! -e release.key ]
ok $? "it stays"
run 2 "an operand" ota-pack init -W folder
says err "init takes no 'folder': it works in this folder"

done_testing

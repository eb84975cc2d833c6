#!/bin/sh
# ota-pack keygen: a new key pair, never over an old one.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"

run 0 "a pair without a password" ota-pack keygen -W release
says out "secret key  release.key"
says out "public key  release.pub"
says out "back up release.key now: devices trust only this key"
silent err
[ "$(stat -c %a release.key)" = 600 ]
ok $? "the secret key is its owner's alone"
id=$(sed -n 's/^untrusted comment: minisign public key //p' release.pub |
    tr A-F a-f)
says out "key id      $id"
[ "$(ls)" = "release.key
release.pub" ]
ok $? "nothing else is written"

before=$(cat release.key release.pub)
run 6 "a second time" ota-pack keygen -W release
says err "ota-pack: 'release.key' already exists: keys are never"
run 6 "by the name of the file" ota-pack keygen -W release.key
[ "$(cat release.key release.pub)" = "$before" ]
ok $? "both are as before"
mv release.key kept
run 6 "where the .pub is there" ota-pack keygen -W release
says err "'release.pub' already exists"
[ ! -e release.key ]
ok $? "no half of a pair is written"
mv kept release.key

run 0 "two pairs" ota-pack keygen -W other.key
! cmp -s release.pub other.pub
ok $? "are different"

run 6 "by the name of the public file" ota-pack keygen -W release.pub
says err "'release.key' already exists"
run 0 "a dry run" ota-pack keygen -n dry
says out "would be written dry.key"
says out "would be written dry.pub"
[ ! -e dry.key ] && [ ! -e dry.pub ]
ok $? "writes neither"

run 0 "as JSON" ota-pack keygen --json -W third
says out '"public":"third.pub","secret":"third.key","v":1}'
run 0 "quietly" ota-pack keygen -qW fourth
silent out
run 0 "a dry run" ota-pack keygen -nW fifth
[ ! -e fifth.key ] && [ ! -e fifth.pub ]
ok $? "writes nothing"

run 2 "no name" ota-pack keygen -W
says err "keygen takes one name, as in 'ota-pack keygen release'"
run 2 "two names" ota-pack keygen -W a b
run 2 "no file's name" ota-pack keygen -W keys/
run 1 "a folder that is not there" ota-pack keygen -W keys/release
says err "cannot write 'keys/release.key': No such file or directory"

run 6 "no terminal to ask" setsid -w ota-pack keygen new
says err "no terminal to ask for the new password for 'new.key': set \
OTA_PACK_PASSWORD_FILE to a file that holds it"
says err "-W makes a key without a password"
: >empty
run 6 "an empty password" env OTA_PACK_PASSWORD_FILE=empty ota-pack keygen new
says err "from OTA_PACK_PASSWORD_FILE is empty"
[ ! -e new.key ] && [ ! -e new.pub ]
ok $? "and nothing is written"

done_testing

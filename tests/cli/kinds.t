#!/bin/sh
# What is given in place of what is meant: it says what it is, and what to type.
. "$(dirname "$0")/lib.sh"
. "$top/tests/cli/fleet.sh"
fleet
config auto
run 0 'publish' ota-pack publish -q
ota-pack build -q
payload=$(find public/payloads -type f)
shard=$(find public/index -type f ! -name head)
cp "$payload" renamed
gzip -kn main.py
printf '\n<!DOCTYPE html>\n<html><title>Login</title></html>\n' >page
printf '{"error": "not found"}' >answer
printf 'version https://git-lfs.github.com/spec/v1\noid sha256:00\n' >lfs
sed -n 2p release.pub >line
: >nothing

# is FILE WHAT: verify, show and unpack say that FILE is WHAT.
is() {
    run 9 "verify $1" ota-pack verify "$1"
    says out "$1: "
    says out ": $2"
    run 9 "show $1" ota-pack show "$1"
    says out ": $2"
    run 9 "unpack $1" ota-pack unpack -C new "$1"
    says out ": $2"
    [ ! -e new ]
    ok $? 'nothing is left'
}
is "$payload" 'a payload, not a bundle: give public/devices/ID'
is renamed 'a payload, not a bundle: give public/devices/ID'
is public/index/head 'the head of an index, not a bundle: give public/devices/ID'
is "$shard" 'a part of an index, not a bundle: give public/devices/ID'
is release.key 'a secret key, not a bundle: never show it to anybody'
! grep -q "$(sed -n 2p release.key)" .out
ok $? 'nor does it show it'
is release.pub 'a public key, not a bundle: it is given with -k'
is line 'a public key, not a bundle: it is given with -k'
is ota-pack.yml 'a configuration, not a bundle: it is named with -c'
is main.py.gz 'compressed with gzip: unpack it first'
is page 'a web page, not a bundle: the server gave it in its place'
is answer 'JSON, not a bundle: '
is lfs 'a pointer of Git LFS, not a bundle: '
is main.py 'a text, not a bundle: '
is nothing 'empty, not a bundle: fetch it again'
mv public other
is "other/${payload#public/}" 'a payload, not a bundle: give other/devices/ID'
mv other public
run 9 'as JSON' ota-pack verify --json "$payload"
says out '"error":"magic","message":"a payload, not a bundle: give '
run 9 'from a pipe' sh -c "cat $payload | ota-pack verify -"
says out '-: magic: a payload, not a bundle: '
head -c 100 out/246f28000001/1.otab >short.otab
run 9 'a bundle that is cut is one' ota-pack verify short.otab
says out 'short.otab: truncated: '
rm short.otab

# Folders.
run 4 'the folder of a server' ota-pack verify public
says err "'public' is not a device's folder: it has no 'manifest'; give public/devices/246f28"
run 4 'of the project' ota-pack show .
says err 'give ./public/devices/246f28'
run 4 'of bundles' ota-pack show out/246f28000001
says err 'give out/246f28000001/1.otab'

# Names where a file is meant.
run 4 'a name' ota-pack verify north
says err "'north' is a device: give its folder, public/devices/246f28000001"
run 4 'an id' ota-pack show 24-6F-28-00-00-01
says err "'24-6F-28-00-00-01' is a device: give its folder, \
public/devices/246f28000001"
run 4 'a release' ota-pack verify greenhouse
says err "'greenhouse' is a release: give a device's folder, as \
public/devices/246f28000001, or say 'ota-pack verify --server greenhouse'"
run 4 'what is nothing' ota-pack show nothing-at-all
says err "ota-pack: cannot open 'nothing-at-all': No such file or directory"

# Files, and ids in spellings of their own, where a name is meant.
for command in 'plan' 'publish' 'status' 'check' 'build' 'verify --server' \
    'withdraw' 'rollback --to 1'; do
    for word in 0x246f28000001 '24 6f 28 00 00 01' 246f:2800:0001 \
        public/devices/246f28000001 public/devices/246f28000001/manifest; do
        # shellcheck disable=SC2086
        run 2 "$command $word" ota-pack $command "$word"
        says err "'$word' is not how an id is written: \
that would be '24:6f:28:00:00:01'"
    done
    # shellcheck disable=SC2086
    run 2 "$command FILE" ota-pack $command lib/net.py
    says err "'lib/net.py' is a file"
    # shellcheck disable=SC2086
    run 2 "$command FOLDER" ota-pack $command lib
    says err "'lib' is a folder"
    # shellcheck disable=SC2086
    run 2 "$command CONFIG" ota-pack $command ota-pack.yml
    says err "'ota-pack.yml' is a file: a configuration is named with '-c'"
done
run 2 'rollback of a device' ota-pack rollback north --to 1
says err "'north' is a device; rollback takes its release, 'greenhouse'"
run 2 'by its id' ota-pack rollback 24:6F:28:00:00:01 --to 1
says err "'24:6F:28:00:00:01' is a device; rollback takes its release, \
'greenhouse'"
run 2 'withdraw of a release' ota-pack withdraw greenhouse
says err "'greenhouse' is a release; withdraw takes devices: \
'ota-pack status greenhouse' lists them"
run 2 'rollback without --to' ota-pack rollback greenhouse 1
says err "rollback takes one RELEASE and '--to VERSION'"

# What is sent can be larger than what is in it.
run 0 'show' ota-pack show public/devices/246f28000001
grep -q ' from [0-9]* B$' .out
ok $? 'no percentage above 100'
done_testing

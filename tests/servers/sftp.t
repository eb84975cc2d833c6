#!/bin/sh
# OpenSSH's internal-sftp: renames do not replace; keys of servers and of ours.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/trouble.sh"
if ! command -v sshd >/dev/null; then
    echo '1..0 # SKIP sshd is not there'
    exit 0
fi
unset SSH_AUTH_SOCK
export HOME="$work"
start_sshd || exit 1
keys='known_hosts: known_hosts, identity: id'
scenario "{url: $url, $keys}" 'OpenSSH'
lying "{url: $url, $keys}" OpenSSH
scenario "{url: ${url}a/b/fleet/, $keys}" 'OpenSSH, deeper' a/b/fleet/
grown_old

# below the login's home folder, here $HOME is not what sshd takes
home=$(getent passwd "$(id -un)" | cut -d: -f6)
if [ -w "$home" ]; then
    at=$home/ota-pack-test-$$
    server="{url: ${url%"$www/"}/~/ota-pack-test-$$/, $keys}"
    config 3
    run 0 'below the home folder' ota-pack publish
    [ -s "$at/devices/246f28000001/manifest" ]
    ok $? 'it is there'
    rm -rf "$at"
    forget
fi

# the user in the URL, where it has signs that stand for others there
at=$www
escaped=$(id -un | od -An -tx1 | tr -d '\n' | sed 's/ 0a$//; s/ /%/g')
server="{url: sftp://$escaped@127.0.0.1:$port$www/, $keys}"
config 3
run 0 "the user $escaped" ota-pack publish --new-base
[ -s "$at/devices/246f28000001/manifest" ]
ok $? 'it is there'

# keys of servers
fresh
server="{url: $url, known_hosts: nobody, identity: id}"
config 1
run 5 'an unknown server' ota-pack publish
says err "the key of [127.0.0.1]:$port is not in 'nobody': nothing was sent"
says err "add it: ssh-keyscan -p $port 127.0.0.1 >>nobody"
[ -z "$(ls -A "$www")" ]
ok $? 'and nothing was sent'
ssh-keyscan -p "$port" 127.0.0.1 >>nobody 2>/dev/null
run 0 'as it said' ota-pack publish
ssh-keygen -q -t ed25519 -N '' -f other
echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 other.pub)" >known_other
server="{url: $url, known_hosts: known_other, identity: id}"
config 1
run 5 'another key of the server' ota-pack publish
says err "the key of [127.0.0.1]:$port is not the one in 'known_other'"
says err "ssh-keygen -f known_other -R [127.0.0.1]:$port"

# keys of ours
server="{url: $url, known_hosts: known_hosts, identity: other}"
config 1
run 6 'a key that the server does not know' ota-pack publish
says err "(the server does not take user '$(id -un)' ("
says err "') with the key 'other')"
server="{url: $url, known_hosts: known_hosts, identity: nothing}"
config 1
run 3 'a key that is not there' ota-pack publish
says err "identity 'nothing' is not there, or cannot be read"
mkdir -m 700 .ssh
cp known_hosts .ssh/
cp other .ssh/id_ed25519
cp id .ssh/id_rsa
server=$url
config 1
run 0 'the second of the usual keys' ota-pack publish
rm .ssh/id_*
eval "$(ssh-agent -s)" >/dev/null
pids="$pids $SSH_AGENT_PID"
export SSH_AUTH_SOCK
ssh-add -q other id
run 0 'keys of an agent' ota-pack publish
unset SSH_AUTH_SOCK
run 6 'no key at all' ota-pack publish
says err 'with nothing: no ssh agent, no key in ~/.ssh and no password is there'

# a head that was cut while it was written over
fresh
kind=OpenSSH
publish_to="{url: $url, $keys}"
both 1
truncate -s 100 "$www/index/head"
run 0 'the head is cut: nothing to do' ota-pack publish
silent err
echo 'z = 1' >>main.py
: >"$www/index/head"
both 2
same 'the head is empty: goes on'
cmp -s "$www/index/head" "$www/index/head.new"
ok $? 'it is whole again'
echo 'something else' >"$www/index/head.new"
run 0 'a damaged copy does no harm' ota-pack publish
echo 'z = 2' >>main.py
: >"$www/index/head"
run 5 'both are damaged' ota-pack publish
says err 'is damaged (head: it ends too early)'

locked "{url: $url, $keys}"
slow_line "$port"
sed "s/127.0.0.1/$far/" known_hosts >known_far
slow="{url: $(echo "$url" | sed "s/127.0.0.1/$far/"), \
known_hosts: known_far, identity: id}"
counted "$slow"
watched "$slow" empty
killed "$slow"
stop_servers
server="{url: $url, $keys}"
config 99
run 5 'no server' ota-pack publish
done_testing

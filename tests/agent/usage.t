#!/bin/sh
# The command line, the configuration file, and who this device is.
. "$(dirname "$0")/agent.sh"
fleet
mkdir dev
url=http://127.0.0.1:1
settings

run 2 'no command' ota-agent
says out 'usage: ota-agent COMMAND [OPTION]...'
run 0 'help' ota-agent -h
says out '  apply FILE     the same from a bundle'
says out '      --command-timeout SECS for each of these (300)'
says out '      --protect PATH         no bundle changes this file, nor what is'
run 0 'version' ota-agent --version
says out 'ota-agent 0.'
run 2 'an unknown command' agent pool
says err "ota-agent: unknown command 'pool' (did you mean 'poll'?)"
run 2 'an unknown option' agent poll --rood dev
says err "ota-agent: unknown option '--rood' (did you mean '--root'?): see 'ota-agent -h'"
run 2 'an option without its argument' agent poll --root
says err "ota-agent: option '--root' needs an argument"
run 2 'no number' agent poll --chances 256
says err "ota-agent: '256' is not a number from 0 to 255 (option --chances)"
run 2 'nor is this' agent poll --deadline 1m
says err "ota-agent: '1m' is not a number from 0 to 604800 (option --deadline)"
run 2 'apply without a file' agent apply
says err 'ota-agent: usage: ota-agent apply FILE [OPTION]...'
run 2 'boot with one' agent boot x
says err 'ota-agent: usage: ota-agent boot [OPTION]...'
run 4 'a bundle that is not there' agent apply none.otab
says err "ota-agent: cannot read 'none.otab': No such file or directory"
run 1 'a root that is not there' agent boot --root nowhere
says err "ota-agent: cannot open 'nowhere': No such file or directory"
mkdir linked
ln -s /tmp linked/.ota
run 1 'a link for .ota' agent boot --root linked
says err "ota-agent: 'linked/.ota' is a link or a file, where a folder of ours belongs: find out who put it there, and remove it"
run 6 'a key that is not there' agent poll --key none.pub
says err "ota-agent: cannot read the key 'none.pub': No such file or directory"
run 6 'a key that is none' agent poll --key main.py
says err "ota-agent: 'main.py' is not a minisign public key"
run 2 'five keys' agent poll --key release.pub --key release.pub \
    --key release.pub --key release.pub --key release.pub
says err 'ota-agent: a device trusts at most 4 keys'
run 6 'a device key that is none' agent poll --device-key main.py
says err "ota-agent: 'main.py' is not a device key (64 hex digits)"
for bad in ftp://host/ota host/ota 'http://host/ota?a=b' ''; do
    run 2 "the URL '$bad'" agent poll --url "$bad"
    says err "ota-agent: '$bad' is not the http or https URL of a folder"
done
for bad in app app= 'app=a,' app=,b =a,b; do
    run 2 "the slot '$bad'" agent boot --slot "$bad"
    says err "ota-agent: '$bad' is not NAME=FILE_A,FILE_B"
done
run 2 'a slot twice' agent boot --slot app=a,b --slot app=c,d
says err "ota-agent: slot 'app' is given twice, or is one too many"

# Who this is.
for id in 246f28000001 24:6F:28:00:00:01 24-6f-28-00-00-01 246f.2800.0001; do
    run 5 "the device $id" agent poll -f --device $id
    says err "'http://127.0.0.1:1/devices/246f28000001/manifest'"
done
run 5 'an EUI-64' agent poll -f --device 40:4c:ca:ff:fe:11:22:01
says err '/devices/404ccafffe112201/manifest'
for bad in 24:6f:28:00:00 24::6f:28:00:00:01 24:6f:28:00:00:01: xyz '' \
    2:4:6:f:2:8:a:a:b:b:c:c 24:6f-28:00-00:01 24.6f.28.00.00.01 \
    246f:2800:0001 246f28:000001 24:6f:28:000001; do
    run 2 "the device '$bad'" agent poll --device "$bad"
    says err "ota-agent: '$bad' is not a device id (6 or 8 hex pairs, as in 24:6f:28:aa:bb:01)"
done
sed '/^device/d' agent.conf >anyone.conf
ota-agent -c anyone.conf poll -f >"$work/.out" 2>"$work/.err"
if grep -q 'there is no interface with a MAC' "$work/.err"; then
    echo '# no interface here has a MAC'
else
    mac=$(sed -n 's|.*/devices/\([0-9a-f]*\)/manifest.*|\1|p' "$work/.err")
    if [ -e /sys/class/net/lo ]; then
        cat /sys/class/net/*/address | tr -d : | grep -qx "$mac"
    else # in a bare chroot nobody else knows it
        [ ${#mac} -eq 12 ]
    fi
    ok $? "the default is an interface's MAC"
fi

# The file.
run 3 'a file that is not there' agent poll -c none.conf
says err "ota-agent: cannot read 'none.conf': No such file or directory"
run 2 'no root' ota-agent -c /dev/null boot
says err "ota-agent: which folder is updated? give '--root DIR', or 'root = DIR' in /dev/null"
run 2 'no key' ota-agent -c /dev/null poll --root dev --url http://h --device 246f28000001
says err "ota-agent: which key does this device trust? give '--key PUB', or 'key = PUB' in /dev/null"
run 2 'no URL' ota-agent -c /dev/null poll --root dev
says err "ota-agent: where is it published? give '--url URL', or 'url = URL' in /dev/null"
{
    cat agent.conf
    printf '\n# a comment\n  quiet=yes  \r\nnow = no\n'
} >more.conf
run 0 'comments, blanks, flags' ota-agent -c more.conf boot
line=$(($(wc -l <agent.conf) + 1))
while read -r bad; do
    {
        cat agent.conf
        echo "$bad"
    } >bad.conf
    IFS= read -r says
    run 3 "the line '$bad'" ota-agent -c bad.conf boot
    says err "bad.conf:$line:$says"
    [ "$(sed -n 2p "$work/.err")" = "$(printf '%5d | %s' $line "$bad")" ]
    ok $? 'the line is shown'
done <<'END'
rood = dev
1: error: unknown setting 'rood' (did you mean 'root'?)
config = other.conf
1: error: 'config' is for the command line only
root
1: error: 'root' needs a value: 'root = DIR'
now = maybe
7: error: 'maybe' is neither yes nor no (now)
chances = many
11: error: 'many' is not a number from 0 to 255 (chances)
slot = "app=a,b"
8: error: values take no quotes
cacert = 'ca.pem
10: error: values take no quotes
start-command = "systemctl start x"
17: error: values take no quotes
stall = 5 # seconds
9: error: a comment has a line of its own
stall: 5
1: error: a line is 'name = value': 'stall = ...'
url: http://host/?a=b
1: error: a line is 'name = value': 'url = ...'
--stall = 5
1: error: unknown setting '--stall' (did you mean 'stall'?)
server = http://host
1: error: unknown setting 'server' (did you mean 'url'?)
[agent]
1: error: unknown setting '[agent]': a line is 'name = value'
root = elsewhere
1: error: 'root' is set above already
END
mkdir other
run 0 'the command line wins' agent status --root other --json
says out '"phase":"idle","version":0,"release":"00000000000000000000000000000000","previous":0,"highest":0,"failed":0,"reason":0,"message":"","chances":0,"wakes":0,"can_undo":false,"v":1}'
run 5 'lists too' agent poll -f --url http://127.0.0.1:2
says err '127.0.0.1:2'
! grep -q '127.0.0.1:1/' "$work/.err"
ok $? 'the list of the file is not asked'
run 5 'a password' agent poll -f --url 'http://me:s3cret@127.0.0.1:2/ota'
says err "'http://127.0.0.1:2/ota/devices/"
! grep -q s3cret "$work/.err"
ok $? 'is not printed'
agent status --root other >&- 2>&- <&-
ok $? 'without standard files it opens none of its own in their place'
chmod 755 dev
mkdir -m 755 dev/.ota
agent status >/dev/null
[ "$(stat -c %a dev/.ota)" = 700 ]
ok $? '.ota is closed to others'
done_testing

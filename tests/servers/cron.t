#!/bin/sh
# What cron mails: nothing where there is nothing to do, and one message that
# stands alone where the server is down.
. "$(dirname "$0")/servers.sh"
fleet
here=$(pwd -P)

# down URL: a publish to where nobody answers.
down() {
    server=$1
    config 1
    start=$(date +%s)
    run 5 "publish to $1" ota-pack publish -q
    took=$(($(date +%s) - start))
    [ $took -ge 4 ] && [ $took -le 25 ]
    ok $? "which gives up in time: $took s"
    silent out
    says err "ota-pack: cannot read '${1}index/head': "
    says err "ota-pack: note: nothing of '$here/ota-pack.yml' was published to"
    says err " to '$1': devices keep what they have"
    [ "$(wc -l <.err)" -eq 2 ]
    ok $? 'and no more'
}
down "http://127.0.0.1:$(free_port)/"
says err "Couldn't connect"
down 'http://ota.invalid/fleet/'
says err 'resolve host'

if ! command -v nginx >/dev/null; then
    done_testing
fi
start_nginx on || exit 1
server=$url
config 1
run 0 'a first publish under cron' ota-pack publish -q
silent out
silent err
run 0 'nothing to do' ota-pack publish
silent out
silent err
proxy '5+ status 403'
config 2
sed -i "s|^server: .*|server: $through|" ota-pack.yml
run 6 'a server that refuses' ota-pack publish -q
says err 'HTTP 403 (it '
says err "nothing of '$here/ota-pack.yml' was published to"
done_testing

#!/bin/sh
# An index that somebody put back on the server: refused, and gone on from when
# that is asked for.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
start_nginx off || exit 1
publish_to=$url
kind=nginx
at=$www
fleet
both 1
cp -a "$www/index" copy
echo 'import os' >>main.py
both 2
rm -rf "${www:?}/index"
cp -a copy "$www/index"
tree "$www" >before
config 3
echo 'import gc' >>main.py
run 5 'publish' ota-pack publish
says err "the index in '${url%/}' is older than this machine saw it: it has \
generation 2 of "
run 5 'prune' ota-pack prune
says err "the index in '${url%/}' is older than this machine saw it"
run 0 'status' ota-pack status
says err "warning: the index in '${url%/}' is older than this machine saw it"
run 5 'doctor' ota-pack doctor
says out "the index in '${url%/}' is older than this machine saw it"
forget
run 5 'without memory' ota-pack publish
says err "the index in '${url%/}' is older than its manifests"
tree "$www" >after
cmp -s before after
ok $? 'nothing is changed by any of them'
server=reference/ config 3
ota-pack publish >/dev/null 2>&1
server=$url config 3
run 0 'accepted' ota-pack publish --accept-rollback
same 'as if nothing had been put back'
run 0 'nothing more to do' ota-pack publish
silent err
run 0 'read back' ota-pack verify --server
done_testing

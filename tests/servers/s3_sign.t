#!/bin/sh
# What is sent to an S3 store, by a second implementation of its signatures;
# the lock where conditions are honoured and where not; what S3 refuses.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! perl -MDigest::SHA -MDigest::MD5 -MTime::Local -e 1 2>/dev/null; then
    echo '1..0 # SKIP perl has no Digest::SHA'
    exit 0
fi
log=$logs/s3d

# all_signed WHAT METHOD...: each request since the last time was signed as it
# has to be, and each copy of it with one bit turned was found out.
all_signed() {
    of=$1
    shift
    cp "$log" "$work/.out"
    grep -q ' ok [1-9][0-9]* ' "$log" && ! grep -q WRONG "$log"
    ok $? "$of: every signature holds"
    for method; do
        grep -q "^20[04] $method .* ok " "$log"
        ok $? "$of: $method"
    done
    : >"$log"
}

# requests: how many since the log was emptied.
requests() {
    grep -c . "$log"
}

# refuse PATTERN COUNT STATUS CODE [XML]: the next answers.
refuse() {
    echo "$*" >"$log.refuse"
    : >"$log"
}

run 0 "the tests' own signatures are those of AWS's examples" \
    perl "$top/tests/servers/s3d.pl" --vectors

S3D_TOKEN=IQoJb3JpZ2luX2VjEJr//EXAMPLE==
start_s3d || exit 1
store="url: s3://ota/fleet/a.b-c/, endpoint: \"$url/\""
scenario "{$store}" 'path style' ota/fleet/a.b-c/
grep -q '^200 PUT /ota/fleet/a.b-c/devices/246f28000001/manifest ok' "$log"
ok $? 'path style: the bucket is in the path'
# the part behind ok is the count of turned bits, the last of all a PUT's header
caches() { # PATTERN CACHE-CONTROL
    grep -q "PUT /ota/fleet/a.b-c/$1" "$log" &&
        ! grep "PUT /ota/fleet/a.b-c/$1" "$log" | grep -v " ok [0-9]* $2\$"
    ok $? "$1: Cache-Control: $2"
}
caches 'payloads/' 'public, max-age=31536000, immutable'
caches 'index/[0-9a-f]\{64\} ' 'public, max-age=31536000, immutable'
caches 'index/head' no-cache
caches 'devices/' no-cache
curl -sSi "$url/ota/fleet/a.b-c/index/head" | grep -qi \
    '^content-type: application/octet-stream'
ok $? 'the content type is set'
all_signed 'path style, with a session token' GET HEAD PUT DELETE
# the lock: is it there, three puts; whose it is, at each step; its removal
: >"$log"
echo 'import re' >>main.py
config 4
run 0 'a change' ota-pack publish
[ "$(grep -c '/lock ' "$log")" -le 11 ]
ok $? 'eleven requests for the lock'
all_signed 'a change'
run 0 'nothing to do' ota-pack publish
[ "$(requests)" -eq 1 ] && grep -q '^200 GET /ota/fleet/a.b-c/index/head' "$log"
ok $? 'nothing to do: one request'

# -- the lock
at=$www/ota/fleet/a.b-c
echo 'import io' >>main.py
config 5
printf 'kate on kew, process 7\n%032d\n%d\n' 7 "$(($(date +%s) + 600))" \
    >"$at/lock"
run 8 'the lock is held' ota-pack publish --lock-timeout 0
says err 'kate on kew, process 7'
[ -s "$at/lock" ]
ok $? 'it stays'
touch "$log.ignore"
run 8 'also where If-None-Match means nothing' ota-pack publish --lock-timeout 0
[ -s "$at/lock" ]
ok $? 'it stays there too'
run 0 'broken, and published' ota-pack publish --break-lock
[ ! -e "$at/lock" ]
ok $? 'it is gone'
echo 'import sys' >>main.py
config 6
run 0 'taken without conditions' ota-pack publish
[ ! -e "$at/lock" ]
ok $? 'it is gone again'
rm "$log.ignore"
refuse PUT 1 501 NotImplemented
echo 'import ssl' >>main.py
config 7
run 0 'a store that has no conditions' ota-pack publish
all_signed 'the lock'

# -- trouble that passes
echo 'import gc' >>main.py
config 8
refuse PUT 3 503 SlowDown
run 0 'SlowDown, three times' ota-pack publish
silent err
echo 'import os' >>main.py
config 9
refuse PUT 1 400 RequestTimeout
run 0 'RequestTimeout, which is 400' ota-pack publish
silent err
refuse GET 1 500 InternalError
run 0 'an InternalError' ota-pack publish
all_signed 'with tries again'

# -- one object fails: what has to come before a manifest, or a manifest
echo 'import ure' >>main.py
config 10
tree "$at/devices" >before
refuse 'PUT.*/payloads/' 1 403 AccessDenied
run 6 'a payload that is not taken' ota-pack publish
says err "cannot write 's3://ota/fleet/a.b-c/payloads/"
tree "$at/devices" | cmp -s - before
ok $? 'no manifest names it'
refuse 'PUT.*/246f28000002/' 1 403 AccessDenied
run 7 'a manifest that is not taken' ota-pack publish
says err '1 of 3 devices were not written'
says err "not written: 'south'"
run 0 'the next publish' ota-pack publish
says out 'published: 1 manifest, 0 new payloads'
[ ! -e "$at/lock" ]
ok $? 'no lock is left'
server=reference/
config 10
ota-pack publish -q 2>/dev/null
tree reference/devices >before
tree "$at/devices" | cmp -s - before
ok $? 'the manifests are those of a folder'
server="{$store}"
config 10

# -- trouble that stays
refused() { # WHAT STATUS CODE [XML]: text that the message has, on input
    refuse GET 9 "$2" "$3" "${4-}"
    case $3 in
    AccessDenied | InvalidAccessKeyId | ExpiredToken) status=6 ;;
    *) status=5 ;;
    esac
    run $status "$1" ota-pack publish
    while read -r text; do
        says err "$text"
    done
    [ "$(requests)" -eq 1 ]
    ok $? "$1: asked once"
    rm -f "$log.refuse"
}
refused 'no permission' 403 AccessDenied <<EOT
cannot read 's3://ota/fleet/a.b-c/index/head': HTTP 403 AccessDenied: About AccessDenied (the key needs s3:GetObject
and s3:ListBucket, without which S3 denies what is not there
EOT
refused 'a key that was deleted' 403 InvalidAccessKeyId <<EOT
HTTP 403 InvalidAccessKeyId: About InvalidAccessKeyId (the key id is of
(it does not let access key '$AWS_ACCESS_KEY_ID' (AWS_ACCESS_KEY_ID) do that
EOT
refused 'the clock' 403 RequestTimeTooSkewed <<EOT
(this machine's clock is 100
seconds ahead: set it)
EOT
refused 'a session that is over' 400 ExpiredToken <<EOT
(the session has expired: get a new one)
EOT
refused 'another region' 301 PermanentRedirect \
    '<Region>eu-west-1</Region>' <<EOT
(the bucket is there: 'region: eu-west-1')
EOT
refused 'another region, in an odd text' 400 AuthorizationHeaderMalformed \
    '<Region>eu west</Region>' <<EOT
'region' or 'endpoint' is not its
EOT
refused 'a page of somebody else' 404 html <<EOT
(no S3 store answers like this: is 'endpoint' right?)
EOT
touch "$log.deny"
rm -rf reference
config 10 '      - "24:6f:28:00:00:09"'
run 6 'a missing object that is denied is not taken for missing' \
    ota-pack publish
says err "HTTP 403"
says err "s3:ListBucket"
rm "$log.deny"
refuse PUT 9 403 AccessDenied
run 6 'no permission to write' ota-pack publish
says err "cannot lock 's3://ota/fleet/a.b-c/lock': HTTP 403 AccessDenied"
rm "$log.refuse"
AWS_SECRET_ACCESS_KEY=another
run 6 'a wrong secret' ota-pack publish
says err 'HTTP 403 SignatureDoesNotMatch'
says err 'the secret access key is not the one of this key id'
! grep -q another .err
ok $? 'the secret is not shown'
unset AWS_SECRET_ACCESS_KEY
run 6 'half a key' ota-pack publish
says err 'AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not'
unset AWS_ACCESS_KEY_ID
run 6 'no key' ota-pack publish
says err "no access key for 's3://ota/fleet/a.b-c/'"
server='s3://ota/fleet'
aws_keys a b
config 10
run 3 'no region' ota-pack publish
says err "'s3://ota/fleet' has no region: name it with 'region'"

# -- bucket in the host's name, a profile, no token
stop_servers
S3D_TOKEN='' S3D_HOST=1 S3D_REGION=eu-central-1
start_s3d || exit 1
: >"$log"
cat >credentials <<EOT
[default]
aws_access_key_id = wrong
aws_secret_access_key = wrong
[ota]
aws_access_key_id = $AWS_ACCESS_KEY_ID
aws_secret_access_key = $AWS_SECRET_ACCESS_KEY
EOT
printf '[profile ota]\nregion = eu-central-1\n' >config
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
export AWS_SHARED_CREDENTIALS_FILE="$work/credentials"
export AWS_CONFIG_FILE="$work/config" AWS_PROFILE=ota
if curl -sS -o /dev/null "http://ota.localhost:$port/" 2>/dev/null; then
    read=http://ota.localhost:$port/
    www=$www/ota
    scenario "{url: s3://ota/x, endpoint: \"http://localhost:$port\", \
style: host}" 'host style' x/
    grep -q '^200 PUT /x/devices/246f28000001/manifest ok' "$log"
    ok $? 'host style: the bucket is not in the path'
    all_signed 'host style' GET HEAD PUT DELETE
else
    ok 0 'host style # SKIP this curl does not know *.localhost'
fi
done_testing

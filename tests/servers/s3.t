#!/bin/sh
# An S3 store that is not ours, and takes no notice of If-None-Match.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
if ! s3rver=$(sh "$top/tests/servers/s3rver.sh" 2>"$work/why"); then
    echo "1..0 # SKIP $(cat "$work/why")"
    exit 0
fi

# fetch_back: what s3rver has, by GET, as devices read it.
fetch_back() {
    rm -rf "$www/ota"
    forget
    (cd "$work/s3" && find ota -name '*._S3rver_object') |
        sed 's/\._S3rver_object$//' >"$work/names"
    while read -r name; do
        curl -sSf --create-dirs -o "$www/$name" "$url/$name" || return
    done <"$work/names"
}

start_s3rver "$s3rver" || exit 1
scenario "{url: s3://ota/fleet/, endpoint: \"$url\"}" s3rver ota/fleet/
scenario "{url: s3://ota, endpoint: \"$url/\", region: eu-north-1}" \
    's3rver, a whole bucket' ota/

server="{url: s3://none/fleet, endpoint: \"$url\"}"
config 1
run 5 'a bucket that is not there' ota-pack publish
says err 'NoSuchBucket: The specified bucket does not exist (make the bucket fi'

# -- over TLS
stop_servers
certificate
start_s3rver "$s3rver" --key srv.key --cert srv.pem || exit 1
server="{url: s3://ota/tls, endpoint: \"https://localhost:$port\"}"
config 1
run 5 'an authority that nobody knows' ota-pack publish
says err "nothing was sent: 'ca' names the file"
server="{url: s3://ota/tls, endpoint: \"https://localhost:$port\", ca: srv.pem}"
config 1
run 0 'its file' ota-pack publish
[ -e "$work/s3/ota/tls/index/head._S3rver_object" ]
ok $? 'it is there'
done_testing

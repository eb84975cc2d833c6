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
done_testing

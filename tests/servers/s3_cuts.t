#!/bin/sh
# S3: publishers that are cut, rivals, outages, a full disk; the lock is one
# object.
. "$(dirname "$0")/servers.sh"
. "$top/tests/servers/scenario.sh"
. "$top/tests/servers/cuts.sh"
if ! perl -MDigest::SHA -MDigest::MD5 -MTime::Local -e 1 2>/dev/null; then
    echo '1..0 # SKIP perl has no Digest::SHA'
    exit 0
fi
export S3D_QUICK=1
kind=S3 prefix=ota/
server_of() {
    echo "{url: s3://ota/$1, endpoint: \"$url\"}"
}
start() {
    start_s3d
}
begin 3
points 20 3 1 killed before
points 20 3 1 killed half
points 20 3 1 killed after
points 20 3 1 rivals 3
points 20 3 2 pairs
spoilt
lying "$(server_of fleet)" S3 ota/fleet/
done_testing

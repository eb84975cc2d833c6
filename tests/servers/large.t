#!/bin/sh
# 100,000 devices: what nothing to do costs, and a change of ten of them.
[ ! -w /dev/shm ] || export TMPDIR=/dev/shm
. "$(dirname "$0")/servers.sh"
if ! command -v nginx >/dev/null; then
    echo '1..0 # SKIP nginx is not there'
    exit 0
fi
start_nginx on || exit 1
ota-pack keygen -W release >/dev/null 2>&1
echo 'import os' >main.py
mkdir site
seq 10 | while read -r i; do echo "$i" >"site/$i"; done

# fleet SERVER FIRST...: most devices in one release, ten in another.
fleet() {
    cat <<EOT >ota-pack.yml
key: release.key
server: $1
releases:
  - name: all
    version: auto
    files: [main.py]
    devices: [{from: fleet.csv}]
  - name: ten
    version: auto
    files: [main.py, site/*]
    devices: [{from: ten.csv}]
EOT
}
awk 'BEGIN {
    print "id" >"fleet.csv"; print "id" >"ten.csv"
    for (i = 0; i < 100000; i++)
        printf "246f28%06x\n", i >(i % 10007 ? "fleet.csv" : "ten.csv")
}'
fleet www
run 0 'published into the folder that the server has' ota-pack publish
says out 'published: 100000 manifests'
[ "$(id -u)" -ne 0 ] || chmod -R a+rX www

# measured COMMAND...: sets cpu (ms) and rss (KiB); the output in .out, .err.
measured() {
    "$BUILD/tests/bench/measure" measured "$@" >"$work/.out" 2>"$work/.err"
    status=$?
    read -r cpu _ rss <measured
    cpu=$(awk "BEGIN { print int($cpu * 1000) }")
}

proxy none
fleet "$through"
measured ota-pack publish
[ $status -eq 0 ] && [ ! -s .out ] && [ "$(wc -l <proxy.log)" -eq 1 ]
ok $? "nothing to do: one request"
echo "# $cpu ms of processor time, $rss KiB"

echo 'import sys' >site/1
proxy none
fleet "$through"
measured ota-pack publish
[ $status -eq 0 ]
ok $? 'ten devices change'
says out 'published: 10 manifests, 1 new payload'
[ "$rss" -le $((150 * 1024)) ]
ok $? "in $rss KiB"
# puts PATTERN: of how many objects that match.
puts() { grep -c "^PUT /$1" proxy.log; }
echo "# PUTs: $(puts devices/) manifests, $(puts payloads/) payloads," \
    "$(puts 'index/[0-9a-f]') shards, $(puts index/head) heads;" \
    "$(grep -c '^GET /index/[0-9a-f]' proxy.log) shards read;" \
    "$(wc -l <proxy.log) requests in all, $cpu ms"
[ "$(puts devices/)" -eq 10 ] && [ "$(puts payloads/)" -eq 1 ] &&
    [ "$(puts 'index/[0-9a-f]')" -le 11 ] && [ "$(puts index/head)" -eq 2 ]
ok $? '10 manifests, 1 payload, at most 11 shards, 2 heads'
done_testing
